//! The numbers of known and of pending lines.

use super::{documents::full, *};

// A22: a line that is known with a remark counts once.
#[test]
fn unreported_lines_are_pending_with_any_remarks_about_others() {
    let mut lines = lines(4);
    let mut subscribes = sent(&lines.transport_up(SECOND, account()));
    let out = respond(&mut lines, SECOND, &subscribes[0], 200, &[]);
    subscribes.extend(sent(&out));
    for subscribe in &subscribes[1..] {
        respond(&mut lines, SECOND, subscribe, 200, &[]);
    }
    let remarkable = full(1, &[("1", ""), ("2", "confirmed")]);
    for (known, subscribe) in (1..).zip(&subscribes) {
        notify(&mut lines, SECOND, subscribe, 1, &remarkable);
        assert_eq!(lines.line_trouble().len(), known);
        assert_eq!((lines.active(), lines.pending()), (known, 4 - known));
    }
}
