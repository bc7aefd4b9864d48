//! Turns an edit that a sealed case refuses into words it takes.

use super::Edit;
use crate::model::{Facts, Millis, Remark, Ulid};

impl Edit {
    /// This edit said in words, as a supplement under `id`.
    ///
    /// `None` for photos, which words can not replace, and for edits that clear a register.
    pub fn to_supplement(&self, id: Ulid, at: Millis) -> Option<Self> {
        let words = match self {
            Self::CategoryClaim(value) => labelled("类别", value.as_ref()?),
            Self::Description(text) if !text.is_empty() => labelled("描述", text),
            Self::LocationText(text) if !text.is_empty() => labelled("位置", text),
            Self::Point(value) => {
                let (lon, lat) = (*value)?.degrees();
                labelled("坐标", format!("{lon:.6}, {lat:.6}"))
            }
            Self::AccuracyM(value) => labelled("定位精度（米）", (*value)?),
            Self::CoordSys(value) => labelled("坐标系", (*value)?.zh()),
            Self::LocationSource(value) => labelled("定位来源", (*value)?.zh()),
            Self::FixAgeS(value) => labelled("定位时间差（秒）", (*value)?),
            Self::GridClaim(value) => labelled("网格", value.as_ref()?),
            Self::ModeClaim(value) => labelled("处置方式", (*value)?.zh()),
            Self::HandleNote(text) if !text.is_empty() => labelled("处置说明", text),
            Self::DiscoveredAt(value) => labelled("发现时间", (*value)?.local_text()),
            Self::HandledAt(value) => labelled("处置时间", (*value)?.local_text()),
            Self::AddRemark(_, remark) => remark.text.clone(),
            Self::AddSupplement(..) => return Some(self.clone()),
            Self::AddPhoto(..) | Self::Description(_) | Self::LocationText(_) | Self::HandleNote(_) => return None,
        };
        // A full text with its label may be a few characters too long.
        let text = words.chars().take(Facts::MAX_TEXT_CHARS).collect();
        Some(Self::AddSupplement(Facts::remark_key(id), Remark { text, at }))
    }
}

fn labelled(label: &str, value: impl std::fmt::Display) -> String {
    format!("{label}：{value}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frozen_edit_is_said_in_words() {
        let id = Ulid::from_parts(Millis(1_700_000_000_000), [1; 10]);
        let said = |edit: Edit| match edit.to_supplement(id, Millis(5)) {
            Some(Edit::AddSupplement(key, remark)) => {
                assert_eq!((key, remark.at), (id.to_string(), Millis(5)));
                Some(remark.text)
            }
            _ => None,
        };
        assert_eq!(said(Edit::Description("井盖缺失".into())).as_deref(), Some("描述：井盖缺失"));
        assert_eq!(said(Edit::HandleNote("长".repeat(2_000))).map(|text| text.chars().count()), Some(2_000));
        assert_eq!(said(Edit::AccuracyM(None)), None, "nothing to say");
    }
}
