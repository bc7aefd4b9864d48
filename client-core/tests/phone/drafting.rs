//! The facade without any network.

use std::path::Path;
use std::sync::Arc;

use xunge_client_core::client::{
    Config, ListQuery, OnlyHere, Parts, Phone, PhoneError, PhotoInput, PhotoSource, Place, ReportInput,
};
use xunge_client_core::model::{CoordSys, DeviceId, Mode, PhotoHash, PhotoRole};
use xunge_client_core::photo::synthetic::{Moment, jpeg};
use xunge_client_core::platform::{FileError, Files};
use xunge_client_core::store::{Reference, Store};
use xunge_client_core::wire::PhotoItem;
use xunge_client_core::workflow::{Payload, Verb};

use super::machine::{HandClock, MemoryFiles, Seeded};
use super::server::Server;
use super::world::enrolment;

fn phone(folder: &Path) -> Phone {
    let (clock, entropy) = (Arc::new(HandClock::new()), Arc::new(Seeded::new(1)));
    Phone::with_parts(Config::new(folder), Parts { clock, entropy, files: None, dialer: None }).unwrap()
}

fn picture(folder: &Path, name: &str, seed: u64) -> String {
    let path = folder.join(name);
    std::fs::write(&path, jpeg(seed, Moment::Before, 320, 240)).unwrap();
    path.to_str().unwrap().to_owned()
}

fn input() -> ReportInput {
    ReportInput {
        category: Some("暴露垃圾".into()),
        text: Some("路边暴露垃圾".into()),
        place: Some(Place::pin(106.1, 38.5)),
        mode: Some(Mode::Forwarded),
        ..ReportInput::default()
    }
}

#[test]
fn a_report_is_saved_whole_with_its_photos_and_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let before = picture(folder.path(), "a.jpg", 1);
    let after = picture(folder.path(), "b.jpg", 2);
    let photos = vec![PhotoInput::before(before), PhotoInput::after(after)];
    let mode = Some(Mode::SelfHandled);
    let case = {
        let phone = phone(folder.path());
        phone.report(&ReportInput { photos, mode, ..input() }).unwrap().id
    };
    let phone = phone(folder.path());
    let detail = phone.case(case).unwrap();
    assert_eq!(detail.item.state, "submitted");
    assert_eq!(detail.photos.len(), 2);
    assert!(detail.facts.handled_at.is_some(), "an after photo tells when the work was done");
    for photo in &detail.photos {
        assert_eq!(phone.photo(&photo.sha256).unwrap().len() as u64, photo.bytes);
        assert!(phone.preview(case, &photo.sha256).unwrap().unwrap().len() <= 10_000);
    }
    assert_eq!(phone.unsent().unwrap().cases, 1);
}

#[test]
fn a_report_with_a_bad_photo_is_not_saved_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let good = picture(folder.path(), "a.jpg", 1);
    let bad = folder.path().join("b.jpg");
    std::fs::write(&bad, "<html>").unwrap();
    let phone = phone(folder.path());
    let photos = vec![PhotoInput::before(good), PhotoInput::after(bad.to_str().unwrap())];
    let error = phone.report(&ReportInput { photos, ..input() }).unwrap_err();
    assert_eq!(error.code(), "photo_not_a_photo");
    let missing = vec![PhotoInput::before("/nowhere.jpg")];
    let error = phone.report(&ReportInput { photos: missing, ..input() }).unwrap_err();
    assert_eq!(error.code(), "no_such_file");
    assert!(phone.cases(&ListQuery::default()).unwrap().0.is_empty());
}

#[test]
fn one_photo_is_not_both_before_and_after() {
    let folder = tempfile::tempdir().unwrap();
    let path = picture(folder.path(), "a.jpg", 1);
    let phone = phone(folder.path());
    let twice = vec![PhotoInput::before(&path), PhotoInput::after(&path)];
    assert!(matches!(phone.draft(&ReportInput { photos: twice, ..input() }), Err(PhoneError::PhotoTwice)));
    let same = vec![PhotoInput::before(&path), PhotoInput::before(&path)];
    assert_eq!(phone.draft(&ReportInput { photos: same, ..input() }).unwrap().photos, 1);
}

#[test]
fn an_incomplete_draft_is_kept_and_says_what_it_lacks_when_submitted() {
    let folder = tempfile::tempdir().unwrap();
    let phone = phone(folder.path());
    let text = Some("只有文字".to_owned());
    let case = phone.draft(&ReportInput { text, ..ReportInput::default() }).unwrap().id;
    let error = phone.submit(case).unwrap_err();
    assert_eq!((error.code(), error.subject().as_deref()), ("incomplete", Some("category,mode,location")));
    assert!(error.zh().contains("类别"), "{}", error.zh());
    assert_eq!(phone.case(case).unwrap().item.state, "draft");
    phone.update(case, &input()).unwrap();
    assert_eq!(phone.submit(case).unwrap().state, "submitted");
    assert_eq!(phone.submit(case).unwrap_err().code(), "already_submitted");
    assert_eq!(phone.discard(case).unwrap_err().code(), "already_submitted");
}

#[test]
fn a_value_nobody_would_take_is_refused_before_it_is_saved() {
    let folder = tempfile::tempdir().unwrap();
    let phone = phone(folder.path());
    let case = phone.draft(&input()).unwrap().id;
    let long = ReportInput { text: Some("长".repeat(2_001)), ..ReportInput::default() };
    let error = phone.update(case, &long).unwrap_err();
    assert_eq!((error.code(), error.subject().as_deref()), ("bad_value", Some("description")));
    let off = ReportInput { place: Some(Place::pin(200.0, 0.0)), ..ReportInput::default() };
    assert_eq!(phone.update(case, &off).unwrap_err().code(), "invalid");
    assert_eq!(phone.case(case).unwrap().facts.description, "路边暴露垃圾");
    assert_eq!(phone.case(case).unwrap().edits, 1);
}

#[test]
fn a_photo_can_be_taken_off_until_it_was_sent() {
    let folder = tempfile::tempdir().unwrap();
    let path = picture(folder.path(), "a.jpg", 1);
    let phone = phone(folder.path());
    let case = phone.draft(&input()).unwrap().id;
    phone.attach_photo(case, PhotoInput::before(path)).unwrap();
    let photo = phone.case(case).unwrap().photos[0].sha256;
    phone.detach_photo(case, photo).unwrap();
    assert!(phone.case(case).unwrap().facts.photos.is_empty());
    assert_eq!(phone.detach_photo(case, photo).unwrap_err().code(), "photo_stays");
}

#[test]
fn ten_photos_are_one_too_many() {
    let folder = tempfile::tempdir().unwrap();
    let phone = phone(folder.path());
    let photos: Vec<PhotoInput> =
        (0..10).map(|seed| PhotoInput::before(picture(folder.path(), &format!("{seed}.jpg"), seed))).collect();
    assert_eq!(phone.draft(&ReportInput { photos: photos.clone(), ..input() }).unwrap_err().code(), "invalid");
    assert_eq!(phone.draft(&ReportInput { photos: photos[..9].to_vec(), ..input() }).unwrap().photos, 9);
}

#[test]
fn categories_are_found_by_name_and_code_and_unknown_ones_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let phone = phone(folder.path());
    let claim = |text: &str| {
        let category = Some(text.to_owned());
        let case = phone.draft(&ReportInput { category, ..input() }).unwrap().id;
        phone.case(case).unwrap().facts.category_claim.unwrap().to_string()
    };
    assert_eq!(claim("暴露垃圾"), "unlisted:event:暴露垃圾");
    let reference: Reference = serde_json::from_str(
        r#"{"version":3,"taxonomy":[
            {"scheme":"xixia-2023","kind":"event","code":"02","parent":null,"name":"市容环卫","self_handling":true},
            {"scheme":"xixia-2023","kind":"event","code":"0201","parent":"02","name":"暴露垃圾","self_handling":true},
            {"scheme":"gb47678.5-2026","kind":"event","code":"06010","parent":"06","name":"暴露垃圾"},
            {"scheme":"gb47678.5-2026","kind":"part","code":"01001","parent":"01","name":"井盖"},
            {"scheme":"gb47678.5-2026","kind":"event","code":"01001","parent":"01","name":"井盖异常"}
        ]}"#,
    )
    .unwrap();
    Store::open(&folder.path().join("phone.db"), Arc::new(Seeded::new(2))).unwrap().set_reference(&reference).unwrap();
    assert_eq!(claim("暴露垃圾"), "xixia-2023:event:0201");
    assert_eq!(claim("06010"), "gb47678.5-2026:event:06010");
    assert_eq!(claim("gb47678.5-2026:06010"), "gb47678.5-2026:event:06010");
    assert_eq!(claim("gb47678.5-2026:part:01001"), "gb47678.5-2026:part:01001");
    assert_eq!(claim("没有的类别:event:99999"), "没有的类别:event:99999");
    assert_eq!(claim("other:99"), "other:event:99");
    let long = claim(&"类".repeat(300));
    assert!(long.len() <= 96 && long.starts_with("unlisted:event:类"), "{long}");
}

#[test]
fn a_retired_category_is_refused_by_a_phone_that_has_heard_of_it_and_stays_where_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let phone = phone(folder.path());
    let store = Store::open(&folder.path().join("phone.db"), Arc::new(Seeded::new(2))).unwrap();
    let hears = |retired: &str| {
        let json = format!(
            r#"{{"version":3,"taxonomy":[
                {{"scheme":"xixia-2023","kind":"event","code":"02","parent":null,"name":"市容环卫"}},
                {{"scheme":"xixia-2023","kind":"event","code":"0201","parent":"02","name":"暴露垃圾"{retired}}},
                {{"scheme":"xixia-2023","kind":"event","code":"0202","parent":"02","name":"道路保洁"}},
                {{"scheme":"gb47678.5-2026","kind":"event","code":"06010","parent":"06","name":"暴露垃圾"}}]}}"#
        );
        store.set_reference(&serde_json::from_str::<Reference>(&json).unwrap()).unwrap();
    };
    let named = |category: &str| ReportInput { category: Some(category.to_owned()), ..input() };
    hears("");
    let case = phone.draft(&named("暴露垃圾")).unwrap().id;
    hears(r#","retired":true"#);
    for text in ["暴露垃圾", "0201", "xixia-2023:0201", "xixia-2023:event:0201"] {
        for refused in [phone.draft(&named(text)), phone.report(&named(text))] {
            let refused = refused.unwrap_err();
            assert_eq!(
                (refused.code(), refused.subject().as_deref()),
                ("retired_category", Some("暴露垃圾")),
                "{text}"
            );
            assert!(refused.zh().contains("已停用") && !refused.hint_zh().is_empty());
        }
    }
    assert!(phone.draft(&named("gb47678.5-2026:06010")).is_ok(), "another tree's is its own");
    // What was begun before is corrected and sent as ever.
    phone.update(case, &named("0201")).unwrap();
    let other = phone.draft(&named("0202")).unwrap().id;
    assert_eq!(phone.update(other, &named("0201")).unwrap_err().code(), "retired_category");
    assert_eq!(phone.case(case).unwrap().item.category_name.as_deref(), Some("暴露垃圾"));
    let listed: Vec<bool> = phone.reference().unwrap().taxonomy.iter().map(|category| category.retired).collect();
    assert_eq!(listed, [false, true, false, false]);
    // One of the same name that is in use goes before it.
    let again = r#"{"version":4,"taxonomy":[
        {"scheme":"xixia-2023","kind":"event","code":"0201","parent":"02","name":"暴露垃圾","retired":true},
        {"scheme":"xixia-2023","kind":"event","code":"0209","parent":"02","name":"暴露垃圾"}]}"#;
    store.set_reference(&serde_json::from_str::<Reference>(again).unwrap()).unwrap();
    let found = phone.draft(&named("暴露垃圾")).unwrap().id;
    assert_eq!(phone.case(found).unwrap().facts.category_claim.unwrap().code, "0209");
}

#[test]
fn the_grid_is_found_offline_whatever_system_the_point_is_in() {
    let folder = tempfile::tempdir().unwrap();
    let phone = phone(folder.path());
    let store = Store::open(&folder.path().join("phone.db"), Arc::new(Seeded::new(2))).unwrap();
    let square =
        |west: i32| format!("[[{west},38490000],[{e},38490000],[{e},38510000],[{west},38510000]]", e = west + 10_000);
    let json = format!(
        r#"{{"version":1,"grids":[{{"code":"640105001001001","name":"一","polygon":{}}},
            {{"code":"640105001001002","name":"二","polygon":{}}}]}}"#,
        square(106_095_000),
        square(106_105_000)
    );
    store.set_reference(&serde_json::from_str(&json).unwrap()).unwrap();
    let grid = |place: Place| phone.grid_at(&place).unwrap().map(|grid| grid.to_string());
    assert_eq!(grid(Place::pin(106.1, 38.5)).as_deref(), Some("640105001001001"));
    assert_eq!(grid(Place::pin(106.105, 38.5)).as_deref(), Some("640105001001002"), "a border belongs to one");
    assert_eq!(grid(Place::pin(0.0, 0.0)), None);
    // About 500 m of shift: read as WGS-84 this point would lie in the neighbour.
    let shifted = Place { system: CoordSys::Gcj02, ..Place::pin(106.1075, 38.5) };
    assert_eq!(grid(shifted).as_deref(), Some("640105001001001"));
    let case = phone.draft(&ReportInput { place: Some(shifted), ..input() }).unwrap().id;
    let facts = phone.case(case).unwrap().facts;
    assert_eq!((facts.grid_claim.as_deref(), facts.coord_sys), (Some("640105001001001"), Some(CoordSys::Gcj02)));
    assert_eq!(facts.point.unwrap().lon_e6, 106_107_500, "stored as the phone had it");
}

#[test]
fn lists_come_in_pages_newest_first() {
    let folder = tempfile::tempdir().unwrap();
    let phone = phone(folder.path());
    let made: Vec<_> = (0..7).map(|_| phone.draft(&input()).unwrap().id).collect();
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let (items, next) = phone.cases(&ListQuery { after, limit: 3, ..ListQuery::default() }).unwrap();
        seen.extend(items.into_iter().map(|item| item.id));
        after = next;
        if after.is_none() {
            break;
        }
    }
    assert!(made.iter().rev().eq(seen.iter()));
    let submitted = ListQuery { drafts: Some(false), ..ListQuery::default() };
    assert!(phone.cases(&submitted).unwrap().0.is_empty());
}

#[test]
fn asking_for_what_the_case_does_not_allow_is_answered_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let phone = phone(folder.path());
    let case = phone.report(&input()).unwrap().id;
    let error = phone.request(case, Verb::Withdraw, Payload::default(), &[]).unwrap_err();
    assert_eq!(error.code(), "not_enrolled");
    assert!(phone.case(case).unwrap().requests.is_empty());
}

#[test]
fn attaching_a_refused_photo_again_sends_it_after_all() {
    let folder = tempfile::tempdir().unwrap();
    let path = picture(folder.path(), "a.jpg", 1);
    let phone = phone(folder.path());
    let case = phone.report(&ReportInput { photos: vec![PhotoInput::before(&path)], ..input() }).unwrap().id;
    let photo = phone.case(case).unwrap().photos[0].sha256;
    refuse(folder.path(), &photo);
    std::fs::remove_file(folder.path().join("photos").join(photo.to_string())).unwrap();
    assert_eq!(phone.case(case).unwrap().item.attention.as_deref(), Some("photo_missing"));
    assert_eq!(phone.unsent().unwrap().photos, 0);

    let item = phone.attach_photo(case, PhotoInput::before(&path)).unwrap();
    assert_eq!((item.photos, item.attention), (1, None));
    let known = phone.case(case).unwrap().photos;
    assert_eq!((known[0].state.as_str(), &known[0].code), ("waiting", &None));
    assert_eq!(phone.photo(&photo).unwrap().len() as u64, known[0].bytes);
    assert_eq!(phone.unsent().unwrap().photos, 1);
}

/// As the engine does when a photo can not be sent.
fn refuse(folder: &Path, photo: &PhotoHash) {
    let store = Store::open(&folder.join("phone.db"), Arc::new(Seeded::new(2))).unwrap();
    store.refuse_photo(&PhotoItem::Full(*photo), "photo_missing").unwrap();
}

#[test]
fn a_rescue_takes_refused_photos_whose_file_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let phone = phone(folder.path());
    let store = Store::open(&folder.path().join("phone.db"), Arc::new(Seeded::new(2))).unwrap();
    let mut enrolment = enrolment(DeviceId::from_bytes([1; 16]), "wang", 1);
    store.seed_for_code("code").unwrap();
    enrolment.server.sealing_key = "09".repeat(32);
    store.enrolled(&enrolment).unwrap();
    let photos: Vec<_> =
        [1, 2].map(|seed| PhotoInput::before(picture(folder.path(), &format!("{seed}.jpg"), seed))).into();
    let case = phone.report(&ReportInput { photos, ..input() }).unwrap().id;
    let photos: Vec<PhotoHash> = phone.case(case).unwrap().facts.photos.into_keys().collect();
    photos.iter().for_each(|photo| refuse(folder.path(), photo));
    std::fs::remove_file(folder.path().join("photos").join(photos[0].to_string())).unwrap();
    let done = phone.rescue(&folder.path().join("out.xunge")).unwrap();
    assert_eq!((done.cases, done.photos, done.unreadable), (1, 1, 1));
}

#[test]
fn a_sweep_leaves_the_file_of_a_photo_that_is_attached_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = picture(folder.path(), "a.jpg", 1);
    let phone = phone(folder.path());
    let case = phone.draft(&ReportInput { photos: vec![PhotoInput::before(&path)], ..input() }).unwrap().id;
    let photo = phone.case(case).unwrap().photos[0].sha256;
    phone.discard(case).unwrap();
    let file = folder.path().join("photos").join(photo.to_string());
    let written = std::fs::metadata(&file).unwrap().modified().unwrap();
    let hours = std::time::Duration::from_secs(7_300);
    std::fs::File::options().append(true).open(&file).unwrap().set_modified(written - hours).unwrap();
    phone.draft(&ReportInput { photos: vec![PhotoInput::before(&path)], ..input() }).unwrap();
    assert!(std::fs::metadata(&file).unwrap().modified().unwrap() > written - hours);
    assert_eq!(phone.sweep().unwrap(), 0);
    assert!(phone.photo(&photo).is_ok());
}

#[test]
fn wiping_asks_first_when_drafts_or_refused_photos_would_be_lost_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = picture(folder.path(), "a.jpg", 1);
    let phone = phone(folder.path());
    assert!(phone.wipe(false).is_ok(), "there is nothing");
    phone.draft(&input()).unwrap();
    let error = phone.wipe(false).unwrap_err();
    assert_eq!(error.en(), "only on this phone: 1 drafts");
    assert!(error.zh().contains("草稿 1 份"), "{}", error.zh());
    let case = phone.report(&ReportInput { photos: vec![PhotoInput::before(path)], ..input() }).unwrap().id;
    refuse(folder.path(), &phone.case(case).unwrap().photos[0].sha256);
    let kept = OnlyHere { cases: 1, drafts: 1, refused_photos: 1, ..OnlyHere::default() };
    assert!(matches!(phone.wipe(false), Err(PhoneError::Unsent(found)) if found == kept));
    assert_eq!(phone.unsent().unwrap().cases, 1, "the queue counts what it counted");
    phone.wipe(true).unwrap();
    assert!(phone.wipe(false).is_ok());
}

#[test]
fn wiping_asks_first_when_refused_words_were_not_read() {
    let mut server = Server::new();
    server.judge = Some(|_, facts| (facts.facts().0.description == "改").then_some(("bad_value", Some("description"))));
    let mut phone = super::world::Phone::new(&mut server, "wang", 1, None);
    let case = phone.report("一");
    phone.sync_fine(&mut server);
    assert!(phone.store.only_here().unwrap().is_nothing());
    phone.describe(case, "改");
    phone.sync_fine(&mut server);
    assert_eq!(phone.store.only_here().unwrap(), OnlyHere { refused_words: 1, ..OnlyHere::default() });
    phone.store.set_attention(case, None).unwrap();
    assert!(phone.store.only_here().unwrap().is_nothing());
}

/// Files that note how the database stands when they all go: cases in it, and pages that were not written anew.
struct Watched {
    files: MemoryFiles,
    database: std::path::PathBuf,
    found: std::sync::Mutex<Option<(i64, i64)>>,
}

impl Files for Watched {
    fn save(&self, photos: &[(PhotoHash, &[u8])]) -> Result<(), FileError> {
        self.files.save(photos)
    }
    fn read_at(&self, photo: &PhotoHash, offset: u64, length: usize) -> Result<Vec<u8>, FileError> {
        self.files.read_at(photo, offset, length)
    }
    fn remove(&self, photo: &PhotoHash) -> Result<(), FileError> {
        self.files.remove(photo)
    }
    fn list_settled(&self) -> Result<Vec<PhotoHash>, FileError> {
        self.files.list_settled()
    }
    fn remove_all(&self) -> Result<(), FileError> {
        let reader = rusqlite::Connection::open(&self.database).unwrap();
        let number = |sql| reader.query_row(sql, [], |row| row.get(0)).unwrap();
        let found = (number("SELECT COUNT(*) FROM case_local"), number("PRAGMA freelist_count"));
        *self.found.lock().unwrap() = Some(found);
        self.files.remove_all()
    }
    fn read_chosen(&self, path: &str, limit: u64) -> Result<Vec<u8>, FileError> {
        self.files.read_chosen(path, limit)
    }
}

/// Writing the database anew needs room for a second one, which a full phone does not have.
#[test]
fn a_wipe_has_removed_rows_and_photos_before_it_needs_room_to_write_the_database_anew() {
    let folder = tempfile::tempdir().unwrap();
    let database = folder.path().join("phone.db");
    let files = Arc::new(Watched { files: MemoryFiles::default(), database, found: Default::default() });
    let (clock, entropy) = (Arc::new(HandClock::new()), Arc::new(Seeded::new(1)));
    let parts = Parts { clock, entropy, files: Some(files.clone()), dialer: None };
    let phone = Phone::with_parts(Config::new(folder.path()), parts).unwrap();
    let photo = PhotoInput { source: PhotoSource::Bytes(jpeg(1, Moment::Before, 640, 480)), ..PhotoInput::before("") };
    let case = phone.report(&ReportInput { photos: vec![photo], ..input() }).unwrap().id;
    let photo = phone.case(case).unwrap().photos[0].sha256;
    phone.wipe(true).unwrap();
    assert!(phone.photo(&photo).is_err());
    let (cases, free) = files.found.lock().unwrap().unwrap();
    assert_eq!(cases, 0, "no row names a photo that is gone");
    assert!(free > 0, "the file still has the pages of what was deleted");
}

#[test]
fn wiping_asks_first_when_reports_would_be_lost() {
    let folder = tempfile::tempdir().unwrap();
    let path = picture(folder.path(), "a.jpg", 1);
    let phone = phone(folder.path());
    let photos = vec![PhotoInput { role: PhotoRole::Before, ..PhotoInput::before(path) }];
    let case = phone.report(&ReportInput { photos, ..input() }).unwrap().id;
    assert!(matches!(phone.wipe(false), Err(PhoneError::Unsent(OnlyHere { cases: 1, photos: 1, .. }))));
    let photo = phone.case(case).unwrap().photos[0].sha256;
    phone.wipe(true).unwrap();
    assert!(phone.case(case).is_err() && phone.photo(&photo).is_err());
}

#[test]
fn every_error_has_a_code_words_in_two_languages_and_a_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let phone = phone(folder.path());
    let unknown = phone.case("01HGW2BBG0000000000000000A".parse().unwrap()).unwrap_err();
    let errors = [unknown, PhoneError::NotEnrolled, PhoneError::BadId("x".into()), PhoneError::Ended];
    for error in errors {
        assert!(error.code().bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{}", error.code());
        for words in [error.zh(), error.en(), error.hint_zh().to_owned(), error.hint_en().to_owned()] {
            assert!(!words.is_empty());
        }
    }
}
