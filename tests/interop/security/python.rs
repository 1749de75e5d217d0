//! pyzmq's own authenticator, which knows nothing of the library under it.

use crate::theirs;

#[test]
fn pyzmqs_authenticator_admits_on_ours_whom_it_admits_on_its_own() {
    let Some([theirs, ours]) = theirs::authenticators() else { return };
    let [wanted, found] = [theirs, ours].map(|program| {
        let language = program.language;
        let limited = program.under(&["timeout", "100"]);
        limited.filter("").unwrap_or_else(|error| panic!("{language}: {error}"))
    });
    assert!(wanted.lines().count() > 10, "{wanted}");
    assert_eq!(found, wanted);
}
