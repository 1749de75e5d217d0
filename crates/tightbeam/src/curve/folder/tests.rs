use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::super::{Certificate, CertificateFault, Keypair, PublicKey};
use super::{CertificateFolder, Stamp};

/// A folder of a test's own, and the certificates that are found in it.
struct Scene {
    directory: TempDir,
    folder: CertificateFolder,
}

impl Scene {
    /// The folder itself is not there yet.
    fn new() -> Scene {
        let directory = tempfile::tempdir().expect("a directory");
        let folder = CertificateFolder::new(directory.path().join("certificates"));
        Scene { directory, folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a certificate with a new key.
    fn add(&self, name: &str) -> PublicKey {
        let certificate = certificate(name);
        certificate.save_public(self.path(name)).expect("saved");
        certificate.public_key()
    }

    /// The file's name in the certificate that is found.
    fn find(&self, key: &PublicKey) -> Option<String> {
        let found = self.folder.find(key).expect("the folder can be read")?;
        Some(found.get("file").expect("every certificate has it").to_owned())
    }

    /// As if seconds had passed: nothing is looked at only because it has just changed.
    fn settle(&self) {
        let mut known = self.folder.lock();
        let known = &mut *known;
        let folders = known.folders.iter_mut().filter_map(|(_, stamp)| stamp.as_mut());
        let mut latest = (0, 0);
        for stamp in folders.chain(known.files.values_mut().map(|file| &mut file.stamp)) {
            stamp.settled = true;
            latest = latest.max(stamp.version.changed);
        }
        // What changes next has another time. Clocks of file systems tick slowly.
        let probe = self.directory.path().join("probe");
        loop {
            fs::write(&probe, "").expect("written");
            let now = Stamp::of(&probe).expect("it can be asked for").expect("it is there");
            if now.version.changed > latest {
                return;
            }
        }
    }

    /// Until a key is found that no folder's time tells of.
    fn wait_for(&self, key: &PublicKey) -> String {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            if let Some(found) = self.find(key) {
                return found;
            }
            assert!(Instant::now() < deadline, "the key is not found");
            std::thread::yield_now();
        }
    }
}

fn certificate(name: &str) -> Certificate {
    let mut certificate = Certificate::new(Keypair::generate().expect("random bytes"));
    certificate.set("file", name).expect("a property");
    certificate
}

/// Both just after something has changed and long after it.
fn acts(act: impl Fn(&Scene, &dyn Fn())) {
    let fresh = Scene::new();
    act(&fresh, &|| {});
    let settled = Scene::new();
    act(&settled, &|| settled.settle());
}

#[test]
fn certificates_count_as_soon_as_they_are_added_and_until_they_are_removed() {
    acts(|scene, pass_time| {
        let stranger = certificate("stranger").public_key();
        assert_eq!(scene.find(&stranger), None);
        pass_time();
        fs::create_dir(scene.folder.path()).expect("made");
        let ann = scene.add("ann");
        assert_eq!(scene.find(&ann).as_deref(), Some("ann"));
        pass_time();
        let ben = scene.add("ben");
        assert_eq!(scene.find(&ben).as_deref(), Some("ben"));
        assert_eq!(scene.find(&stranger), None);
        pass_time();
        fs::remove_file(scene.path("ann")).expect("removed");
        assert_eq!(scene.find(&ann), None);
        assert_eq!(scene.find(&ben).as_deref(), Some("ben"));
        pass_time();
        fs::remove_dir_all(scene.folder.path()).expect("removed");
        assert_eq!(scene.find(&ben), None);
    });
}

#[test]
fn a_certificate_that_is_replaced_counts_no_longer() {
    acts(|scene, pass_time| {
        fs::create_dir(scene.folder.path()).expect("made");
        let old = scene.add("ann");
        assert_eq!(scene.find(&old).as_deref(), Some("ann"));
        pass_time();
        let new = scene.add("ann");
        assert_eq!(scene.find(&old), None);
        assert_eq!(scene.find(&new).as_deref(), Some("ann"));
    });
}

#[test]
fn a_certificate_that_is_written_over_in_place_counts_no_longer_and_what_is_written_soon() {
    acts(|scene, pass_time| {
        fs::create_dir(scene.folder.path()).expect("made");
        let (old, unread) = (scene.add("ann"), scene.add("ben"));
        assert_eq!(scene.find(&old).as_deref(), Some("ann"));
        pass_time();
        let new = scene.add("../new");
        let written = fs::read(scene.path("../new")).expect("read");
        fs::write(scene.path("ben"), &written).expect("written");
        assert_eq!(scene.wait_for(&new), "../new");
        assert_eq!(scene.find(&unread), None);
        pass_time();
        fs::write(scene.path("ann"), "not yet whole").expect("written");
        assert_eq!(scene.find(&old), None);
    });
}

#[test]
fn what_has_not_changed_is_not_read_again() {
    let scene = Scene::new();
    fs::create_dir(scene.folder.path()).expect("made");
    let ann = scene.add("ann");
    let find = || scene.folder.find(&ann).expect("the folder can be read").expect("it is there");
    find();
    scene.settle();
    let found = find();
    scene.add("ben");
    assert!(Arc::ptr_eq(&find(), &found));
}

#[test]
fn files_that_are_no_certificates_are_told_and_keep_nobody_out() {
    let scene = Scene::new();
    fs::create_dir_all(scene.path("below/more")).expect("made");
    let ann = scene.add("ann");
    fs::write(scene.path("below/more/bad"), "\nrubbish = = \"\n  x\n").expect("written");
    symlink("/dev/zero", scene.path("zero")).expect("linked");
    symlink("nowhere", scene.path("nothing")).expect("linked");
    assert_eq!(scene.find(&ann).as_deref(), Some("ann"));
    let problems = scene.folder.problems().expect("the folder can be read");
    let told: Vec<_> = problems.iter().map(|problem| (problem.path(), problem.line())).collect();
    let expected = [(scene.path("below/more/bad"), Some(3)), (scene.path("zero"), None)];
    assert_eq!(told, expected.each_ref().map(|(path, line)| (path.as_path(), *line)));
    assert!(matches!(problems[1].fault(), CertificateFault::NotAFile));
}

#[test]
fn folders_below_count_and_hidden_and_secret_files_do_not() {
    let scene = Scene::new();
    fs::create_dir_all(scene.path("below/more")).expect("made");
    fs::create_dir(scene.path(".hidden")).expect("made");
    let [below, odd] = ["below/more/ann.key", "no ending"].map(|name| scene.add(name));
    let [hidden, secret, inside] =
        [".ann", "ann_secret", ".hidden/ann"].map(|name| scene.add(name));
    assert_eq!(scene.find(&below).as_deref(), Some("below/more/ann.key"));
    assert_eq!(scene.find(&odd).as_deref(), Some("no ending"));
    for key in [hidden, secret, inside] {
        assert_eq!(scene.find(&key), None);
    }
    // A circle would be without an end.
    symlink(scene.folder.path(), scene.path("below/circle")).expect("linked");
    assert_eq!(scene.find(&below).as_deref(), Some("below/more/ann.key"));
}

#[test]
fn the_first_path_of_a_key_holds_and_no_secret_is_kept() {
    let scene = Scene::new();
    fs::create_dir(scene.folder.path()).expect("made");
    let mut certificate = certificate("b");
    certificate.save_secret(scene.path("b")).expect("saved");
    certificate.set("file", "a").expect("a property");
    certificate.save_secret(scene.path("a")).expect("saved");
    let found = scene.folder.find(&certificate.public_key()).expect("the folder can be read");
    let found = found.expect("it is there");
    assert_eq!((found.get("file"), found.secret_key()), (Some("a"), None));
}

#[test]
fn a_folder_that_may_not_be_read_is_empty_until_it_may() {
    let scene = Scene::new();
    fs::create_dir_all(scene.path("below")).expect("made");
    let [ann, ben] = ["ann", "below/ben"].map(|name| scene.add(name));
    fs::set_permissions(scene.path("below"), Permissions::from_mode(0o0)).expect("set");
    if fs::read_dir(scene.path("below")).is_ok() {
        eprintln!("this user may read everything: what others may not is not tried");
    } else {
        assert_eq!(scene.find(&ann).as_deref(), Some("ann"));
        assert_eq!(scene.find(&ben), None);
        assert_eq!(scene.folder.problems().expect("it can be read")[0].path(), scene.path("below"));
        scene.settle();
    }
    fs::set_permissions(scene.path("below"), Permissions::from_mode(0o700)).expect("set");
    assert_eq!(scene.find(&ben).as_deref(), Some("below/ben"));
}

#[test]
fn a_folder_that_is_none_cannot_be_told_from() {
    let scene = Scene::new();
    fs::write(scene.folder.path(), "a file").expect("written");
    assert!(scene.folder.find(&certificate("x").public_key()).is_err());
}
