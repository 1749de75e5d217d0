//! Plots in SVG: rate and CPU time over the size of messages, latencies over percentiles.

use std::error::Error;
use std::path::Path;

use plotters::prelude::*;

use super::contender::Contender;
use super::results::Results;

/// A line: its name and points.
type Line = (&'static str, Vec<(f64, f64)>);

const SIZE: (u32, u32) = (800, 460);
/// Of the contenders in turn, in all plots.
const COLOURS: [RGBColor; 10] = [
    RGBColor(120, 120, 120),
    RGBColor(214, 90, 30),
    RGBColor(20, 90, 200),
    RGBColor(90, 170, 240),
    RGBColor(60, 200, 190),
    RGBColor(40, 150, 70),
    RGBColor(150, 80, 180),
    RGBColor(190, 160, 20),
    RGBColor(200, 60, 110),
    RGBColor(60, 60, 60),
];

/// Writes what can be drawn of the results.
pub(crate) fn write_all(
    results: &Results,
    contenders: &[Contender],
    directory: &Path,
) -> Result<(), Box<dyn Error>> {
    let over_size = |key: &str, unit: f64| {
        let points = |name: &'static str| {
            let of = |e: &&super::results::Entry| {
                e.contender == name
                    && e.workload.title().starts_with("stream tcp")
                    && e.workload.parts == 1
            };
            let entries = results.entries.iter().filter(of);
            let point = |e: &super::results::Entry| {
                Some((e.workload.size as f64, e.summary(key)?.median / unit))
            };
            (name, entries.filter_map(point).collect())
        };
        contenders.iter().map(|c| points(c.name)).collect::<Vec<Line>>()
    };
    let size = "bytes in a message";
    let chart = Chart {
        title: "PUSH to PULL over tcp: rate",
        x: size,
        y: "messages per second",
        percentiles: false,
    };
    chart.draw(&directory.join("throughput.svg"), &over_size("rate", 1.0))?;
    let chart = Chart {
        title: "PUSH to PULL over tcp: CPU time of both processes",
        x: size,
        y: "seconds per million messages",
        percentiles: false,
    };
    chart.draw(&directory.join("cpu.svg"), &over_size("cpu_us", 1.0))?;
    for (file, work) in
        [("latency-one-core.svg", "one core"), ("latency-two-cores.svg", "two cores")]
    {
        let title = format!("round-trip tcp 64 B, {work}");
        let lines: Vec<Line> = contenders
            .iter()
            .map(|c| {
                let entry = results.find(&title, c.name);
                let latencies = entry.and_then(|entry| entry.latencies.as_ref());
                (c.name, latencies.map(percentiles).unwrap_or_default())
            })
            .collect();
        let heading = format!("REQ and REP over tcp, 64 bytes, {work}: round trip");
        let chart =
            Chart { title: &heading, x: "percentile", y: "microseconds", percentiles: true };
        chart.draw(&directory.join(file), &lines)?;
    }
    Ok(())
}

/// Up to 99.99 %, the nines at equal distances: x is 1 / (1 - quantile).
fn percentiles(latencies: &hdrhistogram::Histogram<u64>) -> Vec<(f64, f64)> {
    let steps = (0..=40).map(|step| 10_f64.powf(f64::from(step) / 10.0));
    steps.map(|x| (x, latencies.value_at_quantile(1.0 - 1.0 / x) as f64 / 1e3)).collect()
}

/// Axes, both logarithmic.
struct Chart<'a> {
    title: &'a str,
    x: &'a str,
    y: &'a str,
    percentiles: bool,
}

impl Chart<'_> {
    fn draw(&self, path: &Path, lines: &[Line]) -> Result<(), Box<dyn Error>> {
        let points = || lines.iter().flat_map(|(_, points)| points.iter().copied());
        let bounds = |of: fn((f64, f64)) -> f64| {
            let values = points().map(of).filter(|value| *value > 0.0);
            values
                .fold((f64::MAX, f64::MIN), |(low, high), value| (low.min(value), high.max(value)))
        };
        let (x, y) = (bounds(|point| point.0), bounds(|point| point.1));
        if x.0 > x.1 || y.0 > y.1 {
            return Ok(());
        }
        let area = SVGBackend::new(path, SIZE).into_drawing_area();
        area.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&area)
            .caption(self.title, ("sans-serif", 20))
            .margin(12)
            .x_label_area_size(44)
            .y_label_area_size(76)
            .build_cartesian_2d(
                (x.0..x.1 * 1.02).log_scale(),
                (y.0 * 0.8..y.1 * 1.25).log_scale(),
            )?;
        chart
            .configure_mesh()
            .light_line_style(WHITE)
            .x_desc(self.x)
            .y_desc(self.y)
            .x_label_formatter(&|x| if self.percentiles { percent(*x) } else { bytes(*x) })
            .y_label_formatter(&|y| count(*y))
            .draw()?;
        for ((name, points), colour) in lines.iter().zip(COLOURS.into_iter().cycle()) {
            if points.is_empty() {
                continue;
            }
            let style = colour.stroke_width(2);
            chart
                .draw_series(LineSeries::new(points.iter().copied(), style))?
                .label(*name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style));
            if !self.percentiles {
                let dots = points.iter().map(|point| Circle::new(*point, 3, colour.filled()));
                chart.draw_series(dots)?;
            }
        }
        let corner = if self.percentiles {
            SeriesLabelPosition::UpperLeft
        } else {
            SeriesLabelPosition::UpperRight
        };
        chart
            .configure_series_labels()
            .position(corner)
            .background_style(WHITE.mix(0.8))
            .border_style(BLACK)
            .draw()?;
        area.present()?;
        Ok(())
    }
}

fn percent(x: f64) -> String {
    format!("{} %", (100.0 - 100.0 / x) as f32)
}

fn bytes(x: f64) -> String {
    count(x)
}

/// `12000` as `12 k`.
fn count(value: f64) -> String {
    match value {
        v if v >= 1e6 => format!("{} M", (v / 1e6) as f32),
        v if v >= 1e3 => format!("{} k", (v / 1e3) as f32),
        v => format!("{}", v as f32),
    }
}
