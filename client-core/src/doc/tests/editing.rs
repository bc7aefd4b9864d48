//! Editing, reading, squashing and repairing.

use super::{ANN, BEN, CAI, photo, push, push_at, remark, reported};
use crate::doc::gate::{GateCode, Policy, Stage, admit};
use crate::doc::{DocError, Edit, FieldDoc, first_change};
use crate::model::{Conflict, Facts, Millis, Point, Remark};

fn full_facts() -> Facts {
    let mut facts = Facts::default();
    let edits = [
        Edit::CategoryClaim(Some("xixia-2023:event:01006".parse().unwrap())),
        Edit::Description("暴露垃圾".into()),
        Edit::LocationText("怀远路东侧".into()),
        Edit::Point(Some(Point { lon_e6: 106_132_000, lat_e6: -38_500_000 })),
        Edit::AccuracyM(Some(12)),
        Edit::CoordSys(Some(crate::model::CoordSys::Gcj02)),
        Edit::LocationSource(Some(crate::model::LocationSource::Gps)),
        Edit::FixAgeS(Some(3)),
        Edit::GridClaim(Some("640105001000012".into())),
        Edit::ModeClaim(Some(crate::model::Mode::SelfHandled)),
        Edit::HandleNote("已清理".into()),
        Edit::DiscoveredAt(Some(Millis(1_700_000_000_000))),
        Edit::HandledAt(Some(Millis(-5))),
        photo(1),
        photo(2),
        remark(1, "夜间复查"),
    ];
    for edit in &edits {
        edit.apply_to(&mut facts);
    }
    facts
}

#[test]
fn every_fact_survives_the_document_the_wire_and_a_restart() {
    let facts = full_facts();
    let phone = first_change(ANN, &facts).unwrap();
    let mut server = FieldDoc::new();
    let admission = push(&phone, &mut server);
    assert_eq!(admission.rejected, []);
    let restarted = FieldDoc::load(&admission.snapshot.unwrap()).unwrap();
    assert_eq!(restarted.facts(), (facts, vec![]));
    assert_eq!(restarted.heads(), phone.heads());
    assert_eq!((restarted.actor_seq(&ANN), restarted.max_op()), (1, phone.max_op()));
}

#[test]
fn a_never_sent_report_is_one_change_however_often_it_was_edited() {
    let mut draft = Facts::default();
    for text in ["路", "路面", "路面破损"] {
        Edit::Description(text.into()).apply_to(&mut draft);
    }
    let doc = first_change(ANN, &draft).unwrap();
    assert_eq!(doc.change_bodies_since(&[]).len(), 1);
    assert_eq!(doc.facts().0.description, "路面破损");
}

#[test]
fn an_edit_that_changes_nothing_is_no_change() {
    let mut doc = reported();
    let heads = doc.heads();
    assert_eq!(doc.edit(ANN, &[Edit::Description("路面破损".into())]), Ok(None));
    assert_eq!(doc.edit(ANN, &[]), Ok(None));
    assert_eq!(doc.edit(BEN, &[Edit::HandleNote(String::new())]), Ok(None), "clearing what is not set");
    assert_eq!(doc.heads(), heads);
    assert_eq!(FieldDoc::new().edit(ANN, &[]), Ok(None));
}

#[test]
fn concurrent_values_of_a_register_are_kept_and_shown_winner_first() {
    let mut server = reported();
    let (mut ann, mut ben) = (server.clone(), server.clone());
    ann.edit(ANN, &[Edit::Description("路面破损两处".into())]).unwrap();
    ben.edit(BEN, &[Edit::AccuracyM(Some(9)), Edit::Description("井盖缺失".into())]).unwrap();
    push(&ann, &mut server);
    push(&ben, &mut server);
    let (facts, conflicts) = server.facts();
    let values = vec!["井盖缺失".to_owned(), "路面破损两处".to_owned()];
    assert_eq!(facts.description, values[0]);
    assert_eq!(conflicts, [Conflict { field: "description".into(), values }]);
}

#[test]
fn choosing_the_winning_value_settles_a_conflict_and_passes_the_gate() {
    let mut server = reported();
    let (mut ann, mut ben) = (server.clone(), server.clone());
    ann.edit(ANN, &[Edit::Description("甲".into())]).unwrap();
    ben.edit(BEN, &[Edit::Description("乙".into())]).unwrap();
    push(&ann, &mut server);
    push(&ben, &mut server);
    let mut cai = server.clone();
    let winner = cai.facts().0.description;
    cai.edit(CAI, &[Edit::Description(winner.clone())]).unwrap().expect("the losers are deleted");
    assert_eq!(push(&cai, &mut server).rejected, []);
    assert_eq!((server.facts().0.description, server.facts().1), (winner, vec![]));
}

#[test]
fn two_writers_who_add_the_first_photo_at_once_lose_none() {
    let mut server = reported();
    let (mut ann, mut ben) = (server.clone(), server.clone());
    ann.edit(ANN, &[photo(1), remark(1, "甲")]).unwrap();
    ben.edit(BEN, &[photo(2), photo(3), remark(2, "乙")]).unwrap();
    push(&ann, &mut server);
    push(&ben, &mut server);
    let mut cai = server.clone();
    cai.edit(CAI, &[photo(4)]).unwrap();
    assert_eq!(push(&cai, &mut server).rejected, []);
    let (facts, conflicts) = server.facts();
    assert_eq!((facts.photos.len(), facts.remarks.len(), conflicts.len()), (4, 2, 0));
}

#[test]
fn adding_a_photo_twice_adds_it_once() {
    let mut doc = reported();
    doc.edit(ANN, &[photo(1)]).unwrap();
    assert_eq!(doc.edit(BEN, &[photo(1)]), Ok(None));
}

#[test]
fn a_phone_can_not_write_what_the_gate_would_refuse() {
    let mut doc = reported();
    let refused = |field: &str, code| Err(DocError::Refused { field: field.into(), code });
    let nul = Edit::Description("a\0".into());
    assert_eq!(doc.edit(ANN, &[nul]), refused("description", GateCode::BadValue));
    let off_the_globe = Edit::Point(Some(Point { lon_e6: 0, lat_e6: 90_000_001 }));
    assert_eq!(doc.edit(ANN, &[off_the_globe]), refused("lat_e6", GateCode::BadValue));
    let no_ulid = Edit::AddRemark("first".into(), Remark { text: "x".into(), at: Millis(0) });
    assert_eq!(doc.edit(ANN, &[no_ulid]), refused("remarks", GateCode::ForbiddenPath));
    let ten: Vec<_> = (0..10).map(photo).collect();
    assert_eq!(doc.edit(ANN, &ten), refused("photos", GateCode::TooManyPhotos));
    let long: Vec<_> = (0..12).map(|id| remark(id, &"巡".repeat(2_000))).collect();
    assert_eq!(doc.edit(ANN, &long), Err(DocError::TooLarge));
    assert_eq!(doc.heads(), reported().heads(), "nothing was written");
}

#[test]
fn a_document_with_more_photos_than_a_case_may_name_takes_everything_else() {
    let (mut ann, mut ben) = (reported(), reported());
    ann.edit(ANN, &(0..6).map(photo).collect::<Vec<_>>()).unwrap();
    ben.edit(BEN, &(6..12).map(photo).collect::<Vec<_>>()).unwrap();
    let bodies = ben.change_bodies_since(&[]);
    let bodies: Vec<&[u8]> = bodies.iter().map(|(_, body)| body.as_slice()).collect();
    assert!(admit(&mut ann, &bodies, &Policy::from_server()).rejected.is_empty());
    assert_eq!(ann.photo_count(), 12);
    let more = ann.clone().edit(ANN, &[photo(20)]);
    assert_eq!(more, Err(DocError::Refused { field: "photos".into(), code: GateCode::TooManyPhotos }));
    assert!(ann.edit(ANN, &[remark(1, "补充"), photo(3)]).unwrap().is_some());
}

#[test]
fn the_largest_edit_a_phone_can_write_passes_the_gate() {
    let mut doc = reported();
    let mut server = doc.clone();
    let mut edits: Vec<_> = (0..9).map(photo).collect();
    edits.extend((0..10).map(|id| remark(id, &"巡".repeat(1_900))));
    doc.edit(ANN, &edits).unwrap();
    let admission = push(&doc, &mut server);
    assert_eq!(admission.rejected, []);
    assert!(admission.accepted[0].body.len() > 57_000);
}

#[test]
fn rebasing_repeats_what_survives_and_reports_what_does_not() {
    let mut accepted = reported();
    accepted.edit(ANN, &(0..8).map(photo).collect::<Vec<_>>()).unwrap();
    let bad = Edit::HandleNote("长".repeat(2_001));
    let edits = [photo(20), Edit::Description("更正".into()), bad.clone(), photo(21)];
    let rebased = FieldDoc::rebase(&accepted, BEN, &edits).unwrap();
    let codes: Vec<_> = rebased.dropped.iter().map(|(edit, _)| edit.clone()).collect();
    assert_eq!(codes, [bad, photo(21)]);
    let mut server = accepted.clone();
    let admission = push(&rebased.doc, &mut server);
    assert_eq!((admission.accepted.len(), admission.rejected.len()), (1, 0));
    assert_eq!(server.facts().0.description, "更正");
    assert_eq!(rebased.change, server.heads().first().copied());
}

#[test]
fn a_sealed_case_takes_supplements_and_nothing_else() {
    let mut server = reported();
    let mut phone = server.clone();
    let note = Remark { text: "后续说明".into(), at: Millis(5) };
    phone.edit(ANN, &[Edit::AddSupplement("01HGW2BBG0000000000000000A".into(), note)]).unwrap();
    assert_eq!(push_at(Stage::Sealed, &phone, &mut server).rejected, []);
    for edit in [Edit::Description("改".into()), Edit::HandleNote("改".into()), photo(1), remark(1, "x")] {
        let mut phone = server.clone();
        phone.edit(ANN, &[edit]).unwrap();
        assert_eq!(push_at(Stage::Late, &phone, &mut server.clone()).rejected, []);
        let admission = push_at(Stage::Sealed, &phone, &mut server);
        assert_eq!(admission.rejected[0].code, GateCode::FieldFrozen);
    }
    assert_eq!(server.facts().0.supplements.len(), 1);
}

/// Seed 151 of the simulator: one copy of a phone said it as a supplement, another brought the remark.
#[test]
fn words_under_one_key_are_read_once_as_a_remark() {
    let mut doc = reported();
    let said = |text: &str| Remark { text: text.into(), at: Millis(5) };
    let key = |last: char| format!("01HGW2BBG0000000000000000{last}");
    doc.edit(ANN, &[Edit::AddSupplement(key('A'), said("补充")), Edit::AddSupplement(key('B'), said("又说"))]).unwrap();
    assert_eq!(doc.facts().0.supplements.len(), 2);
    doc.edit(ANN, &[Edit::AddRemark(key('A'), said("补充")), Edit::AddRemark(key('B'), said("别的话"))]).unwrap();
    let facts = doc.facts().0;
    assert_eq!(facts.remarks.len(), 2);
    assert_eq!(facts.supplements.into_keys().collect::<Vec<_>>(), [key('B')], "other words under one key are all kept");
}

#[test]
fn a_sealed_case_of_the_office_can_start_its_document_with_a_supplement() {
    let mut phone = FieldDoc::new();
    let note = Remark { text: "后续说明".into(), at: Millis(5) };
    phone.edit(ANN, &[Edit::AddSupplement("01HGW2BBG0000000000000000A".into(), note)]).unwrap();
    assert_eq!(push_at(Stage::Sealed, &phone, &mut FieldDoc::new()).rejected, []);
}

#[test]
fn two_phones_can_start_the_document_of_an_office_born_case_side_by_side() {
    let (mut ann, mut ben, mut server) = (FieldDoc::new(), FieldDoc::new(), FieldDoc::new());
    ann.edit(ANN, &[Edit::Description("甲".into()), photo(1)]).unwrap();
    ben.edit(BEN, &[Edit::HandleNote("乙".into()), photo(2)]).unwrap();
    assert_eq!(push(&ann, &mut server).rejected, []);
    assert_eq!(push(&ben, &mut server).rejected, []);
    let (facts, conflicts) = server.facts();
    assert_eq!((facts.description.as_str(), facts.handle_note.as_str(), facts.photos.len()), ("甲", "乙", 2));
    assert_eq!(conflicts, [], "both wrote the same version mark");
}

#[test]
fn the_facts_an_office_judged_can_be_read_again_after_a_late_edit() {
    let mut doc = reported();
    let (judged, heads) = (doc.facts().0, doc.heads());
    doc.edit(ANN, &[Edit::Description("更正".into())]).unwrap();
    assert_eq!(doc.facts_at(&heads), Some(judged));
    assert_eq!(doc.facts_at(&[crate::model::ChangeHash::from_bytes([7; 32])]), None);
}

#[test]
fn a_snapshot_that_is_none_is_unreadable_not_a_panic() {
    let mut snapshot = reported().save();
    snapshot[40] ^= 1;
    assert!(matches!(FieldDoc::load(&snapshot), Err(DocError::Unreadable(_))));
    assert!(matches!(FieldDoc::load(b"x"), Err(DocError::Unreadable(_))));
}
