//! Named attacks. Each of them hurt Automerge 0.12.0, or would hurt a case, without the gate.

use automerge::transaction::{CommitOptions, Transactable, Transaction};
use automerge::{Author, Automerge, ObjId, ObjType, ROOT, ReadDoc, ScalarValue};

use super::{ANN, BEN, CAI, admit_all, photo, push, remark, reported};
use crate::doc::field_doc::{actor_to_library, from_library};
use crate::doc::gate::{ActorVerdict, GateCode, GateLimits, Policy, Stage, admit, claim};
use crate::doc::testing::forge::Forgery;
use crate::doc::{Edit, FieldDoc, chunk};
use crate::model::{ActorId, ChangeHash};

/// A change that a modified app makes with the library itself, on top of `doc`.
fn change(doc: &FieldDoc, actor: ActorId, write: impl FnOnce(&mut Transaction<'_>)) -> Vec<u8> {
    change_with(doc, actor, CommitOptions::default(), write)
}

fn change_with(
    doc: &FieldDoc,
    actor: ActorId,
    options: CommitOptions,
    write: impl FnOnce(&mut Transaction<'_>),
) -> Vec<u8> {
    let mut modified = doc.inner.clone().with_actor(actor_to_library(&actor));
    let mut tx = modified.transaction();
    write(&mut tx);
    let hash = tx.commit_with(options).0.expect("the attack writes something");
    chunk::to_body(modified.get_change_by_hash(&hash).unwrap().raw_bytes()).unwrap().to_vec()
}

fn forged(body: &[u8], forge: impl FnOnce(&mut Forgery)) -> Vec<u8> {
    let mut forgery = Forgery::of(body).unwrap();
    assert_eq!(forgery.to_body(), body, "forging starts from the true bytes");
    forge(&mut forgery);
    forgery.to_body()
}

/// Sends one body; it must be refused, and the document must stay as it is.
fn refused(doc: &FieldDoc, body: Vec<u8>) -> (GateCode, Option<String>) {
    let mut server = doc.clone();
    let admission = admit_all(Stage::Open, &mut server, std::slice::from_ref(&body));
    assert_eq!((admission.accepted.len(), admission.snapshot, server.save()), (0, None, doc.save()));
    let rejected = admission.rejected.first().unwrap_or_else(|| panic!("needs {:?}", admission.needs));
    assert_eq!(rejected.hash, chunk::hash_of_body(&body));
    (rejected.code, rejected.field.clone())
}

fn valid_next(doc: &FieldDoc) -> Vec<u8> {
    let mut phone = doc.clone();
    let hash = phone.edit(BEN, &[Edit::HandleNote("已处理".into())]).unwrap().unwrap();
    phone.change_body(&hash).unwrap()
}

fn map_of(tx: &Transaction<'_>, key: &str) -> ObjId {
    tx.get(ROOT, key).unwrap().unwrap().1
}

#[test]
fn no_decision_can_be_written_by_a_phone() {
    let doc = reported();
    let decisions = [
        "state",
        "version",
        "case_no",
        "mode",
        "category_final",
        "handler",
        "due_at",
        "flags",
        "filed_at",
        "closed_at",
        "received_at",
        "void_reason",
        "events",
        "ledger",
        "V",
        "description ",
        "",
    ];
    for decision in decisions {
        let body = change(&doc, BEN, |tx| tx.put(ROOT, decision, "closed").unwrap());
        assert_eq!(refused(&doc, body), (GateCode::ForbiddenPath, Some(decision.to_owned())), "{decision}");
        let body = change(&doc, BEN, |tx| drop(tx.put_object(ROOT, decision, ObjType::Map).unwrap()));
        assert_eq!(refused(&doc, body).0, GateCode::ForbiddenPath, "{decision}");
        let mut first = Automerge::new().with_actor(actor_to_library(&BEN));
        first.transact(|tx| tx.put(ROOT, "v", 1).and_then(|()| tx.put(ROOT, decision, "closed"))).unwrap();
        let body = chunk::to_body(first.get_last_local_change().unwrap().raw_bytes()).unwrap().to_vec();
        assert_eq!(refused(&FieldDoc::new(), body).0, GateCode::ForbiddenPath, "{decision}");
    }
}

#[test]
fn a_padded_counter_does_not_win_a_conflict() {
    let doc = reported();
    let mut server = doc.clone();
    let mut honest = doc.clone();
    honest.edit(CAI, &[Edit::Description("属实".into())]).unwrap();
    push(&honest, &mut server);
    let body = change(&doc, BEN, |tx| tx.put(ROOT, "description", "伪造").unwrap());
    let padded = forged(&body, |forgery| forgery.start_op += 1_000);
    assert_eq!(refused(&server, padded).0, GateCode::NotReproducible);
    // Padding with real operations is the same as typing: it shows as an ordinary conflict.
    let typed = change(&doc, BEN, |tx| {
        ["一", "二", "伪造"].into_iter().for_each(|text| tx.put(ROOT, "description", text).unwrap());
    });
    admit_all(Stage::Open, &mut server, &[typed]);
    let (_, conflicts) = server.facts();
    assert_eq!(conflicts[0].values, ["伪造", "属实"]);
}

#[test]
fn a_poisoned_operation_counter_is_refused() {
    let doc = reported();
    let body = valid_next(&doc);
    for start_op in [u64::from(u32::MAX), u64::from(u32::MAX) - 1, 1 << 31, 1 << 30, 10_000, 0, u64::MAX] {
        assert_eq!(refused(&doc, forged(&body, |f| f.start_op = start_op)).0, GateCode::BadCounter, "{start_op}");
    }
}

#[test]
fn a_gap_in_the_sequence_is_refused() {
    let doc = reported();
    let body = valid_next(&doc);
    assert_eq!(refused(&doc, forged(&body, |f| f.seq = 5)).0, GateCode::BadSequence);
    let no_deps = forged(&body, |f| {
        f.seq = 5;
        f.deps.clear();
    });
    assert_eq!(refused(&FieldDoc::new(), no_deps).0, GateCode::BadSequence);
    assert_eq!(refused(&doc, forged(&body, |f| f.seq = 0)).0, GateCode::BadCounter);
}

#[test]
fn orphans_are_asked_about_and_never_kept() {
    let doc = reported();
    let body = valid_next(&doc);
    let orphans: Vec<_> = (0..64_u8)
        .map(|number| {
            forged(&body, |f| {
                f.deps = vec![[number; 32]];
                f.actor = vec![number; 8];
            })
        })
        .collect();
    let mut server = doc.clone();
    let admission = admit_all(Stage::Open, &mut server, &orphans);
    assert_eq!((admission.accepted.len(), admission.rejected.len(), admission.needs.len()), (0, 0, 64));
    assert_eq!(server.save(), doc.save());
}

#[test]
fn a_65th_change_in_one_push_is_refused() {
    let mut phone = reported();
    let mut server = phone.clone();
    for number in 0..65 {
        phone.edit(ANN, &[Edit::AccuracyM(Some(number))]).unwrap();
    }
    let admission = push(&phone, &mut server);
    assert_eq!((admission.accepted.len(), admission.rejected.len()), (64, 1));
    assert_eq!(admission.rejected[0].code, GateCode::TooManyChanges);
    assert_eq!(push(&phone, &mut server).accepted.len(), 1, "it comes in with the next push");
}

#[test]
fn a_run_of_a_billion_rows_is_refused_in_a_few_bytes() {
    let doc = reported();
    let body = valid_next(&doc);
    let billion = [0x80, 0x94, 0xeb, 0xdc, 0x03];
    for (spec, value) in [(0x42, &[1][..]), (0x15, &[1, b'v']), (0x56, &[0]), (0x70, &[0]), (0x71, &[0]), (0x73, &[1])]
    {
        let bomb = forged(&body, |f| *f.column(spec) = [&billion, value].concat());
        assert_eq!(refused(&doc, bomb).0, GateCode::Malformed, "{spec:#x}");
    }
}

#[test]
fn nothing_compressed_gets_in() {
    let doc = reported();
    let body = valid_next(&doc);
    for spec in [0x15_u64, 0x42, 0x57] {
        let deflated = forged(&body, |f| f.columns.iter_mut().filter(|c| c.0 == spec).for_each(|c| c.0 |= 8));
        assert_eq!(refused(&doc, deflated).0, GateCode::Malformed);
    }
    let mut long = doc.clone();
    long.edit(ANN, &[Edit::Description("长".repeat(300))]).unwrap();
    let mut change = long.inner.get_changes(&[]).pop().unwrap();
    assert_eq!(chunk::to_body(&change.bytes()), None, "a compressed chunk has no body");
    assert_eq!(chunk::to_body(&long.inner.save()), None, "nor has a document");
}

#[test]
fn a_body_over_the_limit_is_refused_before_it_is_parsed() {
    let doc = reported();
    let bomb = forged(&valid_next(&doc), |f| f.message = vec![b'a'; 64 << 10]);
    assert_eq!(refused(&doc, bomb).0, GateCode::TooLarge);
}

#[test]
fn authors_messages_and_commit_times_are_refused() {
    let doc = reported();
    let put = |tx: &mut Transaction<'_>| tx.put(ROOT, "handle_note", "x").unwrap();
    let timed = change_with(&doc, BEN, CommitOptions::default().with_time(1_700_000_000), put);
    assert_eq!(refused(&doc, timed).0, GateCode::Metadata);
    let message = change_with(&doc, BEN, CommitOptions::default().with_message("hi"), put);
    assert_eq!(refused(&doc, message).0, GateCode::Metadata);
    let mut authored = doc.inner.clone();
    authored.set_author(Some(Author::from(vec![1, 2, 3])));
    authored.set_actor(actor_to_library(&BEN));
    authored.transact(|tx| tx.put(ROOT, "handle_note", "x")).unwrap();
    let body = chunk::to_body(authored.get_last_local_change().unwrap().raw_bytes()).unwrap().to_vec();
    assert_eq!(refused(&doc, body).0, GateCode::Metadata);
}

#[test]
fn only_maps_texts_and_integers_get_in() {
    let doc = reported();
    let foreign = [
        ScalarValue::counter(3),
        ScalarValue::Uint(3),
        ScalarValue::F64(1.5),
        ScalarValue::Boolean(true),
        ScalarValue::Timestamp(3),
        ScalarValue::Bytes(vec![1]),
        ScalarValue::Null,
    ];
    for value in foreign {
        let body = change(&doc, BEN, |tx| tx.put(ROOT, "accuracy_m", value.clone()).unwrap());
        assert_eq!(refused(&doc, body), (GateCode::BadValue, Some("accuracy_m".to_owned())), "{value:?}");
    }
    for kind in [ObjType::List, ObjType::Text] {
        let body = change(&doc, BEN, |tx| drop(tx.put_object(ROOT, "description", kind).unwrap()));
        assert_eq!(refused(&doc, body).0, GateCode::Malformed);
    }
    let body = change(&doc, BEN, |tx| drop(tx.put_object(ROOT, "description", ObjType::Map).unwrap()));
    assert_eq!(refused(&doc, body).0, GateCode::BadValue);
}

#[test]
fn values_out_of_range_are_refused_by_name() {
    let doc = reported();
    let long = "长".repeat(2_001);
    let texts = [
        ("description", long.as_str()),
        ("handle_note", "a\0b"),
        ("category_claim", "litter"),
        ("coord_sys", "bd09"),
        ("mode_claim", "closed"),
        ("grid_claim", "64010500000000012"),
        ("lon_e6", "106"),
    ];
    for (key, text) in texts {
        let body = change(&doc, BEN, |tx| tx.put(ROOT, key, text).unwrap());
        assert_eq!(refused(&doc, body), (GateCode::BadValue, Some(key.to_owned())));
    }
    for (key, number) in [("lat_e6", 90_000_001_i64), ("accuracy_m", -1), ("fix_age_s", 1 << 40), ("description", 1)] {
        let body = change(&doc, BEN, |tx| tx.put(ROOT, key, number).unwrap());
        assert_eq!(refused(&doc, body), (GateCode::BadValue, Some(key.to_owned())));
    }
}

#[test]
fn the_version_mark_is_written_once() {
    let doc = reported();
    let rewritten = change(&doc, BEN, |tx| tx.put(ROOT, "v", 2).unwrap());
    assert_eq!(refused(&doc, rewritten), (GateCode::ForbiddenPath, Some("v".to_owned())));
    let deleted = change(&doc, BEN, |tx| tx.delete(ROOT, "v").unwrap());
    assert_eq!(refused(&doc, deleted).0, GateCode::ForbiddenPath);
    let missing = change(&FieldDoc::new(), BEN, |tx| tx.put(ROOT, "description", "x").unwrap());
    assert_eq!(refused(&FieldDoc::new(), missing), (GateCode::BadValue, Some("v".to_owned())));
}

#[test]
fn containers_can_not_be_replaced_or_deleted() {
    let mut doc = reported();
    doc.edit(ANN, &[photo(1), remark(1, "x")]).unwrap();
    for key in ["photos", "remarks"] {
        let deleted = change(&doc, BEN, |tx| tx.delete(ROOT, key).unwrap());
        let replaced = change(&doc, BEN, |tx| drop(tx.put_object(ROOT, key, ObjType::Map).unwrap()));
        let scalar = change(&doc, BEN, |tx| tx.put(ROOT, key, 1).unwrap());
        for body in [deleted, replaced, scalar] {
            assert_eq!(refused(&doc, body), (GateCode::ForbiddenPath, Some(key.to_owned())));
        }
    }
}

#[test]
fn an_entry_once_written_stays_as_it_is() {
    let mut doc = reported();
    doc.edit(ANN, &[photo(1), remark(1, "x")]).unwrap();
    let (photo_key, remark_key) = {
        let (facts, _) = doc.facts();
        (facts.photos.keys().next().unwrap().to_string(), facts.remarks.keys().next().unwrap().clone())
    };
    for (container, key, field) in [("photos", &photo_key, "role"), ("remarks", &remark_key, "text")] {
        let rewritten = change(&doc, BEN, |tx| {
            let entry = tx.get(map_of(tx, container), key.as_str()).unwrap().unwrap().1;
            tx.put(entry, field, "check").unwrap();
        });
        let deleted = change(&doc, BEN, |tx| tx.delete(map_of(tx, container), key.as_str()).unwrap());
        let replaced = change(&doc, BEN, |tx| {
            drop(tx.put_object(map_of(tx, container), key.as_str(), ObjType::Map).unwrap());
        });
        for body in [rewritten, deleted, replaced] {
            assert_eq!(refused(&doc, body).0, GateCode::EntryExists, "{container}");
        }
    }
}

#[test]
fn entries_must_be_complete_and_hold_nothing_else() {
    let mut doc = reported();
    doc.edit(ANN, &[remark(1, "x")]).unwrap();
    let entry = |write: &dyn Fn(&mut Transaction<'_>, &ObjId)| {
        change(&doc, BEN, |tx| {
            let entry = tx.put_object(map_of(tx, "remarks"), "01HGW2BBG0000000000000000A", ObjType::Map).unwrap();
            write(tx, &entry);
        })
    };
    assert_eq!(refused(&doc, entry(&|_, _| ())).0, GateCode::IncompleteEntry);
    assert_eq!(refused(&doc, entry(&|tx, e| tx.put(e, "text", "x").unwrap())).0, GateCode::IncompleteEntry);
    let extra = entry(&|tx, e| {
        tx.put(e, "text", "x").unwrap();
        tx.put(e, "at", 1).unwrap();
        tx.put(e, "state", "closed").unwrap();
    });
    assert_eq!(refused(&doc, extra), (GateCode::ForbiddenPath, Some("remarks".to_owned())));
    let nested = entry(&|tx, e| drop(tx.put_object(e, "text", ObjType::Map).unwrap()));
    assert_eq!(refused(&doc, nested).0, GateCode::BadValue);
    let no_entry = change(&doc, BEN, |tx| tx.put(map_of(tx, "remarks"), "closed", "x").unwrap());
    assert_eq!(refused(&doc, no_entry).0, GateCode::ForbiddenPath);
    let wrong_key = change(&doc, BEN, |tx| {
        drop(tx.put_object(map_of(tx, "remarks"), "01hgw2bbg0000000000000000a", ObjType::Map).unwrap());
    });
    assert_eq!(refused(&doc, wrong_key).0, GateCode::ForbiddenPath);
}

#[test]
fn a_tenth_photo_is_refused_even_if_two_phones_add_it_together() {
    let mut server = reported();
    let (mut ann, mut ben) = (server.clone(), server.clone());
    ann.edit(ANN, &(0..5).map(photo).collect::<Vec<_>>()).unwrap();
    ben.edit(BEN, &(5..10).map(photo).collect::<Vec<_>>()).unwrap();
    assert_eq!(push(&ann, &mut server).rejected, []);
    let admission = push(&ben, &mut server);
    assert_eq!(admission.rejected[0].code, GateCode::TooManyPhotos);
    assert_eq!(server.facts().0.photos.len(), 5);
}

#[test]
fn an_actor_of_another_device_or_of_a_clone_is_refused() {
    let mut server = reported();
    let body = valid_next(&server);
    let policy = Policy { stage: Stage::Open, allowed_actor: &|_| ActorVerdict::Taken, limits: GateLimits::default() };
    let admission = admit(&mut server, &[&body], &policy);
    assert_eq!(admission.rejected[0].code, GateCode::ActorTaken);
    // A restored backup goes on with the same actor: its second change is another second change.
    let mut restored = server.clone();
    server.edit(ANN, &[Edit::HandleNote("甲".into())]).unwrap();
    restored.edit(ANN, &[Edit::HandleNote("乙".into())]).unwrap();
    assert_eq!(push(&restored, &mut server).rejected[0].code, GateCode::ActorTaken);
}

#[test]
fn actors_nobody_knows_and_actors_of_another_length_are_refused() {
    let doc = reported();
    let body = change(&doc, BEN, |tx| tx.put(ROOT, "description", "x").unwrap());
    let named = forged(&body, |f| f.others[0] = vec![9; 8]);
    assert_eq!(refused(&doc, named).0, GateCode::NotReproducible);
    for length in [0, 7, 9, 16, 127] {
        assert_eq!(refused(&doc, forged(&body, |f| f.actor = vec![1; length])).0, GateCode::Malformed);
        assert_eq!(refused(&doc, forged(&body, |f| f.others[0] = vec![1; length])).0, GateCode::Malformed);
    }
    assert_eq!(refused(&doc, forged(&body, |f| f.others = vec![vec![1; 8]; 129])).0, GateCode::Malformed);
}

#[test]
fn a_second_spelling_of_a_good_change_is_refused() {
    let doc = reported();
    let body = valid_next(&doc);
    let padded_length = [&body[..33], &[0x88, 0x00], &body[34..]].concat();
    assert_eq!(body[33], 8, "the actor's length follows one hash");
    assert_eq!(refused(&doc, padded_length).0, GateCode::Malformed);
    let null_column = forged(&body, |f| {
        f.column(0x01);
    });
    assert_eq!(refused(&doc, null_column).0, GateCode::NotReproducible);
    let unknown_column = forged(&body, |f| f.column(0x94).push(1));
    assert_eq!(refused(&doc, unknown_column).0, GateCode::Malformed);
    let swapped = forged(&body, |f| f.columns.swap(0, 1));
    assert_eq!(refused(&doc, swapped).0, GateCode::Malformed);
}

#[test]
fn a_refused_change_takes_its_descendants_with_it_and_nothing_else() {
    let mut server = reported();
    let phone = server.clone();
    let bad = change(&phone, BEN, |tx| tx.put(ROOT, "state", "closed").unwrap());
    let bad_hash = *chunk::hash_of_body(&bad).as_bytes();
    let child = forged(&valid_next(&phone), |f| {
        f.deps = vec![bad_hash];
        f.seq = 2;
    });
    let grandchild = forged(&child, |f| {
        f.deps = vec![*chunk::hash_of_body(&child).as_bytes()];
        f.seq = 3;
    });
    let mut other = server.clone();
    other.edit(CAI, &[Edit::HandleNote("已处理".into())]).unwrap();
    let good = other.change_bodies_since(&server.heads()).remove(0).1;
    let admission = admit_all(Stage::Open, &mut server, &[grandchild, good, child, bad]);
    let codes: Vec<_> = admission.rejected.iter().map(|rejected| rejected.code).collect();
    assert_eq!(codes, [GateCode::ForbiddenPath, GateCode::DependsOnRejected, GateCode::DependsOnRejected]);
    assert_eq!((admission.accepted.len(), server.facts().0.handle_note.as_str()), (1, "已处理"));
}

#[test]
fn a_repeated_push_changes_nothing() {
    let mut server = reported();
    let body = valid_next(&server);
    let admission = admit_all(Stage::Open, &mut server, &[body.clone(), body.clone()]);
    assert_eq!((admission.accepted.len(), admission.rejected.len()), (1, 0));
    let saved = server.save();
    let again = admit_all(Stage::Open, &mut server, std::slice::from_ref(&body));
    assert_eq!((again.duplicates, again.accepted.len()), (vec![chunk::hash_of_body(&body)], 0));
    assert_eq!(server.save(), saved);
}

#[test]
fn a_missing_change_is_asked_for_and_the_whole_history_then_gets_in() {
    let mut server = reported();
    let mut phone = server.clone();
    let first = phone.edit(BEN, &[Edit::HandleNote("一".into())]).unwrap().unwrap();
    phone.edit(BEN, &[Edit::HandleNote("二".into())]).unwrap();
    let mut bodies: Vec<_> = phone.change_bodies_since(&server.heads()).into_iter().map(|(_, body)| body).collect();
    let admission = admit_all(Stage::Open, &mut server, &bodies[1..]);
    assert_eq!((admission.needs, admission.accepted.len()), ([first].into(), 0));
    bodies.reverse();
    assert_eq!(admit_all(Stage::Open, &mut server, &bodies).accepted.len(), 2);
    assert_eq!(server.heads(), phone.heads());
}

#[test]
fn a_full_document_takes_what_fits_and_names_the_change_that_does_not() {
    let mut server = reported();
    let mut phone = server.clone();
    for text in ["短", "中".repeat(500).as_str(), "短短"] {
        phone.edit(ANN, &[Edit::HandleNote(text.into())]).unwrap();
    }
    let bodies: Vec<_> = phone.change_bodies_since(&server.heads()).into_iter().map(|(_, body)| body).collect();
    let bodies: Vec<_> = bodies.iter().map(Vec::as_slice).collect();
    let limits = GateLimits { max_document_bytes: 1_000, ..GateLimits::default() };
    let policy = Policy { stage: Stage::Open, allowed_actor: &|_| ActorVerdict::Allowed, limits };
    let admission = admit(&mut server, &bodies, &policy);
    let codes: Vec<_> = admission.rejected.iter().map(|rejected| rejected.code).collect();
    assert_eq!(codes, [GateCode::DocumentFull, GateCode::DependsOnRejected]);
    assert_eq!(FieldDoc::load(&admission.snapshot.unwrap()).unwrap().heads(), server.heads());
    assert_eq!(server.facts().0.handle_note, "短");

    let limits = GateLimits { max_history: 2, ..GateLimits::default() };
    let policy = Policy { stage: Stage::Open, allowed_actor: &|_| ActorVerdict::Allowed, limits };
    let body = valid_next(&server);
    assert_eq!(admit(&mut server, &[&body], &policy).rejected[0].code, GateCode::DocumentFull);
}

#[test]
fn branches_can_not_lock_the_others_out() {
    let mut server = reported();
    let start = server.clone();
    let mut refusals = Vec::new();
    // A hostile writer hangs forty branches on the first change, each with its own value of one register.
    for number in 0..40 {
        let body = change(&start, ActorId::from_bytes([number; 8]), |tx| {
            tx.put(ROOT, if number < 20 { "description" } else { "handle_note" }, i64::from(number).to_string())
                .unwrap();
        });
        let admission = admit_all(Stage::Open, &mut server, &[body]);
        refusals.extend(admission.rejected.into_iter().map(|rejected| (rejected.code, rejected.field)));
        // Merging the heads now and then makes room for more.
        let merging = [Edit::AccuracyM(Some(u32::from(number)))];
        if number % 9 == 8 {
            let mut phone = server.clone();
            phone.edit(CAI, &merging).unwrap();
            assert_eq!(push(&phone, &mut server).rejected, []);
        }
    }
    assert!(refusals.len() > 10, "{refusals:?}");
    assert!(refusals.iter().all(|refusal| *refusal == (GateCode::TooManyBranches, None)));
    let mut honest = server.clone();
    let edits = [Edit::Description("属实".into()), Edit::HandleNote("已处理".into())];
    honest.edit(BEN, &edits).unwrap();
    assert_eq!(push(&honest, &mut server).rejected, []);
    assert_eq!((server.facts().1, server.heads().len()), (vec![], 1));
}

#[test]
fn a_claim_tells_the_actor_before_anything_is_admitted() {
    let doc = reported();
    let body = valid_next(&doc);
    let claim = claim(&body).unwrap();
    assert_eq!((claim.actor, claim.seq, claim.deps), (BEN, 1, doc.heads()));
    assert_eq!(crate::doc::gate::claim(&body[1..]), None);
}

#[test]
fn every_single_byte_mutation_of_a_change_is_answered() {
    let doc = reported();
    let body = valid_next(&doc);
    let mut hashes = std::collections::BTreeSet::<ChangeHash>::new();
    for at in 0..body.len() {
        for value in 0..=u8::MAX {
            let mut mutated = body.clone();
            mutated[at] = value;
            let mut server = doc.clone();
            let admission = admit_all(Stage::Open, &mut server, &[mutated]);
            assert_ne!(admission.rejected.first().map(|r| r.code), Some(GateCode::LibraryFault), "{at} {value}");
            hashes.extend(admission.accepted.iter().map(|accepted| accepted.hash));
        }
    }
    assert!(hashes.contains(&from_library(automerge::ChangeHash(*chunk::hash_of_body(&body).as_bytes()))));
}
