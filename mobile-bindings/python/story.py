"""One story across the border: open, fail with reasons, report offline, listen, sync.

Usage: story.py STORE SERVER CODE PHOTO_BEFORE PHOTO_AFTER. Prints one JSON document; any surprise is an exception.
"""

import json
import sys
import threading

import xunge_mobile as xm


class Heard(xm.NewsListener):
    """Counts news and throws on the first, to show that a careless app harms only itself."""

    def __init__(self):
        self.news = []
        self.drained = threading.Event()

    def on_news(self, news):
        self.news.append(type(news).__name__)
        if isinstance(news, xm.News.DRAINED) or news.is_drained():
            self.drained.set()
        if len(self.news) == 1:
            raise ValueError("thrown inside the listener")


def refused(call):
    """The code of the refusal that `call` must end with."""
    try:
        call()
    except xm.PhoneFault.Refused as fault:
        assert fault.words_zh and fault.words_en and fault.hint_zh and fault.hint_en
        return fault.code
    raise AssertionError("was not refused")


def ticks(line):
    """Saved, on the server, reviewed, and photos sent of how many."""
    return [line.on_phone, line.on_server, line.reviewed, line.photos_sent, line.photos_total]


def source(card):
    """Where the point of a case came from, and how old it was."""
    facts = json.loads(card.facts_json)
    return [facts["location_source"], facts.get("fix_age_s")]


def main():
    store, server, code, before, after = sys.argv[1:]
    phone = xm.Xunge.open(store, None)
    out = {
        "bad_id": refused(lambda: phone.case_card("nonsense")),
        "unknown_case": refused(lambda: phone.case_card("01HF0000000000000000000000")),
        "key_without_encryption": refused(lambda: xm.Xunge.open(store + "-2", b"0" * 32)),
        "user_before": phone.user(),
    }
    out["user"] = phone.enrol(server, code, None).id
    report = xm.Report(
        category="暴露垃圾", text="绿化带内暴露垃圾,已清理", point=xm.GeoPoint(
            lon=106.1, lat=38.5, accuracy_m=8, gcj02=True, source=xm.PointSource.GPS, fix_age_s=4,
        ),
        mode=xm.Mode.SELF_HANDLED, handle_note="已清扫", photos_before=[before], photos_after=[after],
    )
    line = phone.report(report)
    out["saved"] = [line.state, line.photos, line.unsent]
    out["ticks_saved"] = ticks(line)
    pin = xm.Report(category=None, text=None, point=xm.GeoPoint(lon=106.2, lat=38.4, accuracy_m=None, gcj02=False),
                    mode=None, handle_note=None, photos_before=[], photos_after=[])
    draft = phone.draft(pin)
    out["pin"] = source(phone.case_card(draft.id))
    out["waiting"] = [phone.waiting().cases, phone.waiting().photos]
    out["no_such_file"] = refused(lambda: phone.attach_photo(line.id, "/no/such/file.jpg", False))

    rescued = phone.rescue(store + ".xunge")
    out["rescued"] = [len(rescued.files), rescued.cases, rescued.photos, rescued.unreadable]
    phone.carry(server, rescued.files[0])

    phone.set_link(xm.Link.OFFLINE)
    ended = phone.sync_now().ended
    assert ended.words_zh and ended.words_en and ended.hint_zh and ended.hint_en
    out["ended"] = ended.code
    phone.set_link(xm.Link.UNMETERED)

    heard = Heard()
    handle = phone.subscribe(heard)
    phone.start_background_sync()
    phone.on_foreground()
    assert heard.drained.wait(60), heard.news
    phone.stop_background_sync()
    handle.cancel()
    out["after"] = [phone.waiting().cases, phone.waiting().photos]
    summary = phone.sync_now()
    out["summary_drained"] = [summary.drained, summary.ended]
    card = phone.case_card(line.id)
    out["state"] = json.loads(card.ledger_json)["state"]
    out["coord_sys"] = json.loads(card.facts_json)["coord_sys"]
    out["fix"] = source(card)
    out["ticks_sent"] = ticks(card.line)
    out["trace"] = 0 < len(phone.trace()) <= 65_536
    out["draft_keeps_a_wipe_away"] = refused(lambda: phone.wipe(False))
    out["refused_texts"] = [one.text for one in card.refused]
    phone.seen(line.id)
    phone.on_background()
    out["id"] = line.id
    print(json.dumps(out, ensure_ascii=False))


if __name__ == "__main__":
    main()
