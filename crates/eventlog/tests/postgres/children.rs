//! Other processes: this test program once more, running one test that does a child's work.

use std::process::{Child, Command, Stdio};

/// A name, a schema and numbers that the child needs.
const ORDERS: &str = "ORDERSTREAM_TEST_ORDERS";

/// Starts a process that runs the test `work` with these orders.
pub fn start(work: &str, orders: &[&str]) -> Child {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", work, "--nocapture", "--test-threads", "1"]).env(ORDERS, orders.join("\n"));
    child.stdout(Stdio::piped()).spawn().unwrap()
}

/// What we were started for; nothing in a usual test run.
pub fn orders() -> Option<Vec<String>> {
    Some(std::env::var(ORDERS).ok()?.lines().map(ToOwned::to_owned).collect())
}

/// Tells the parent.
pub fn report(line: &str) {
    println!("\nREPORT {line}");
}

/// Waits for all of them, and for what they reported.
pub async fn finish(children: Vec<Child>) -> Vec<String> {
    let wait = move || {
        let outputs = children.into_iter().map(|child| {
            let output = child.wait_with_output().unwrap();
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(output.status.success(), "a child failed: {said}");
            said.lines().find_map(|line| line.strip_prefix("REPORT ")).expect("a report").to_owned()
        });
        outputs.collect()
    };
    tokio::task::spawn_blocking(wait).await.unwrap()
}
