//! A few bytes that ask for a lot.

use xunge_tests::bombs;

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_bombs_leave_the_server_small_honest_and_with_nothing_it_should_not_hold() {
    let report = bombs::run().await;
    println!("{} bombs, answered {:?}, the server grew by {} KiB", report.thrown, report.answers, report.growth >> 10);
    assert_eq!(report.wrong, Vec::<String>::new());
    assert!(report.thrown >= bombs::FEWEST, "{}", report.thrown);
}
