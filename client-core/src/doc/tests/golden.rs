//! Changes of phones in the field. They must hash and replay the same with every later version.
//!
//! If one of these tests fails after a dependency was bumped, phones with the old version would have
//! their reports refused: see docs/adr/0005. Files are added beside the old ones, never replaced.

use super::{ANN, BEN, CAI, admit_all, photo, remark};
use crate::doc::gate::Stage;
use crate::doc::{Edit, FieldDoc, chunk, first_change};
use crate::model::{ChangeHash, Facts, Millis, Point, Remark};

const V1: &str = include_str!("../../../tests/fixtures/doc/v1.txt");
/// The document after these changes, as a server of version 1 stored it.
const V1_SNAPSHOT: &str = include_str!("../../../tests/fixtures/doc/v1_snapshot.hex");

/// Every kind of change an app writes, in the order a server could see them.
fn story() -> Vec<(&'static str, Vec<u8>)> {
    let mut facts = Facts::default();
    let report = [
        Edit::CategoryClaim(Some("xixia-2023:event:01006".parse().unwrap())),
        Edit::Description("怀远路东侧暴露垃圾约三平方米".into()),
        Edit::Point(Some(Point { lon_e6: 106_132_000, lat_e6: 38_500_000 })),
        Edit::AccuracyM(Some(12)),
        Edit::DiscoveredAt(Some(Millis(1_700_000_000_000))),
        photo(1),
        photo(2),
    ];
    report.iter().for_each(|edit| edit.apply_to(&mut facts));
    let mut server = first_change(ANN, &facts).unwrap();
    let mut story = vec![("first change", server.change_bodies_since(&[]).remove(0).1)];
    let mut tell = |name, doc: &mut FieldDoc, actor, edits: &[Edit]| {
        let hash = doc.edit(actor, edits).unwrap().unwrap();
        story.push((name, doc.change_body(&hash).unwrap()));
    };
    tell("edit", &mut server, ANN, &[Edit::Description("怀远路东侧垃圾".into()), Edit::HandleNote("已清理".into())]);
    let (mut ann, mut ben) = (server.clone(), server.clone());
    tell("first remark, one side", &mut ann, ANN, &[remark(1, "夜间复查"), Edit::LocationText("甲".into())]);
    tell("first remark, other side", &mut ben, BEN, &[remark(2, "照片补传"), Edit::LocationText("乙".into())]);
    let both: Vec<_> = [&ann, &ben].map(|doc| doc.change_bodies_since(&server.heads()).remove(0).1).into();
    admit_all(Stage::Open, &mut server, &both);
    let winner = server.facts().0.location_text;
    tell("settles a conflict by its winner", &mut server, CAI, &[Edit::LocationText(winner)]);
    tell("clears a register", &mut server, CAI, &[Edit::AccuracyM(None)]);
    tell("adds to the winning map", &mut server, CAI, &[remark(3, "三"), photo(3)]);
    let supplement = Remark { text: "后续说明".into(), at: Millis(5) };
    tell("supplement", &mut server, BEN, &[Edit::AddSupplement("01HGW2BBG0000000000000000A".into(), supplement)]);
    story
}

/// Reads `name: hash body` lines.
fn fixture(text: &str) -> Vec<(String, ChangeHash, Vec<u8>)> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let (name, rest) = line.split_once(": ").unwrap();
            let (hash, body) = rest.split_once(' ').unwrap();
            (name.to_owned(), hash.parse().unwrap(), hex::decode(body).unwrap())
        })
        .collect()
}

#[test]
fn todays_app_writes_the_same_bytes_as_version_1() {
    let written: Vec<String> = story()
        .into_iter()
        .map(|(name, body)| format!("{name}: {} {}\n", chunk::hash_of_body(&body), hex::encode(body)))
        .collect();
    let comments: String = V1.lines().filter(|line| line.starts_with('#')).map(|line| format!("{line}\n")).collect();
    assert_eq!(comments + &written.concat(), V1, "the left side is what is written today");
}

#[test]
fn todays_gate_takes_the_changes_of_version_1() {
    let mut server = FieldDoc::new();
    for (name, hash, body) in fixture(V1) {
        let admission = admit_all(Stage::Open, &mut server, std::slice::from_ref(&body));
        assert_eq!(admission.rejected, [], "{name}");
        assert_eq!((admission.accepted[0].hash, &admission.accepted[0].body), (hash, &body), "{name}");
        server = FieldDoc::load(&admission.snapshot.unwrap()).unwrap();
        assert_eq!(server.change_body(&hash), Some(body), "{name} comes out of storage as it went in");
    }
    let (facts, conflicts) = server.facts();
    assert_eq!((facts.photos.len(), facts.remarks.len(), facts.supplements.len(), conflicts.len()), (3, 3, 1, 0));
    assert_eq!((facts.description.as_str(), facts.accuracy_m), ("怀远路东侧垃圾", None));
}

#[test]
fn todays_reader_loads_the_snapshot_of_version_1() {
    let mut server = FieldDoc::new();
    let bodies: Vec<_> = fixture(V1).into_iter().map(|(_, _, body)| body).collect();
    admit_all(Stage::Open, &mut server, &bodies);
    let stored = FieldDoc::load(&hex::decode(V1_SNAPSHOT.trim()).unwrap()).unwrap();
    assert_eq!((stored.heads(), stored.facts()), (server.heads(), server.facts()));
    assert_eq!(stored.change_bodies_since(&[]), server.change_bodies_since(&[]));
    assert_eq!(hex::encode(stored.save()), V1_SNAPSHOT.trim());
}
