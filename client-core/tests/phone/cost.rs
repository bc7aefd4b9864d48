//! What a day costs: bytes on the wire, processor time. Flushes of the disk are counted by `figures -- phone`.

use xunge_client_core::doc::Edit;
use xunge_client_core::store::{ListQuery, Step};

use super::server::Server;
use super::world::Phone;

const PLACES: [&str; 6] =
    ["怀远东路路口", "宁华路幼儿园南门", "西花园三号楼", "农贸市场北侧", "公交站台后方", "商业街门前"];
const PROBLEMS: [&str; 6] =
    ["暴露垃圾约两平方米", "车辆占用盲道", "占道经营影响通行", "堆放杂物", "小广告十余处", "护栏晾晒被褥"];

#[test]
fn a_hundred_reports_edited_three_times_cost_little_more_than_their_bare_json() {
    let mut server = Server::new();
    let mut phone = Phone::new(&mut server, "wang", 1, None);
    let cases: Vec<_> = (0..100)
        .map(|_| {
            let dice = phone.entropy.next() as usize;
            phone.clock.advance(60_000 + dice as u64 % 400_000);
            let text = format!("{}{}", PLACES[dice % 6], PROBLEMS[dice / 6 % 6]);
            let case = phone.report(&text);
            phone.describe(case, &format!("{text}，有异味"));
            phone.act(case, &[Step::Edit(vec![Edit::HandleNote("已联系物业清理，下午复查".into())])]);
            phone.describe(case, &format!("{text}，附近居民多次反映"));
            case
        })
        .collect();
    let rows: Vec<serde_json::Value> = cases
        .iter()
        .map(|case| {
            let mut row = serde_json::to_value(phone.store.detail(*case).unwrap().unwrap().facts).unwrap();
            row["id"] = serde_json::json!(case);
            row
        })
        .collect();
    let bare = zstd::bulk::compress(serde_json::to_string(&rows).unwrap().as_bytes(), 19).unwrap().len();
    assert!(phone.sync_fine(&mut server).drained);
    let ratio = server.bytes_up as f64 / bare as f64;
    println!("{} B for 100 cases, bare JSON {bare} B, {ratio:.2} x", server.bytes_up);
    assert!(ratio <= 1.35, "{ratio:.2}");
}

/// Nanoseconds this thread has been on a processor.
#[cfg(target_os = "linux")]
fn cpu_ns() -> u64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    stat.split(' ').next().unwrap().parse().unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn saving_costs_a_fraction_of_three_milliseconds_and_a_page_of_ten_thousand_cases_a_fraction_of_ten() {
    let folder = tempfile::tempdir().unwrap();
    let phone = Phone::new(&mut Server::new(), "wang", 1, Some(folder.path().join("phone.db")));
    phone.report("热身");
    let before = cpu_ns();
    for index in 0..200 {
        phone.report(&format!("第{index}处：小区东门外暴露垃圾约两平方米，已拍照"));
    }
    let per_report_us = (cpu_ns() - before) / 200_000;
    println!("{per_report_us} us of processor for a draft and its submit");
    assert!(per_report_us < 3_000);

    let full = Phone::new(&mut Server::new(), "wang", 2, None);
    for index in 0..10_000 {
        full.draft(&format!("第{index}处"));
    }
    // The kernel counts in steps of milliseconds, so one page is too short to be seen.
    let before = cpu_ns();
    for _ in 0..200 {
        let (page, next) = full.store.list(&ListQuery::default()).unwrap();
        assert!(page.len() == 50 && next.is_some());
    }
    let page_us = (cpu_ns() - before) / 200_000;
    println!("{page_us} us for the first page of 10,000 cases");
    assert!(page_us < 10_000);
}
