//! Says an edit in words, for the supplement of a case that takes nothing else any more.

use super::Edit;

impl Edit {
    /// What this edit says, labelled, in Chinese as the inspector typed it.
    ///
    /// `None` for photos, which words can not replace, and for edits that clear a register. May exceed
    /// the length of a remark by its label; cut it to [`Facts::MAX_TEXT_CHARS`](crate::model::Facts::MAX_TEXT_CHARS).
    pub fn in_words(&self) -> Option<String> {
        Some(match self {
            Self::CategoryClaim(value) => labelled("类别", value.as_ref()?),
            Self::Description(text) => labelled("描述", given(text)?),
            Self::LocationText(text) => labelled("位置", given(text)?),
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
            Self::HandleNote(text) => labelled("处置说明", given(text)?),
            Self::DiscoveredAt(value) => labelled("发现时间", (*value)?.local_text()),
            Self::HandledAt(value) => labelled("处置时间", (*value)?.local_text()),
            Self::AddRemark(_, remark) | Self::AddSupplement(_, remark) => given(&remark.text)?.to_owned(),
            Self::AddPhoto(..) => return None,
        })
    }
}

fn given(text: &str) -> Option<&str> {
    (!text.is_empty()).then_some(text)
}

fn labelled(label: &str, value: impl std::fmt::Display) -> String {
    format!("{label}：{value}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Millis, Point, Remark};

    #[test]
    fn an_edit_is_said_as_the_inspector_would() {
        let said = |edit: Edit| edit.in_words();
        assert_eq!(said(Edit::Description("井盖缺失".into())).as_deref(), Some("描述：井盖缺失"));
        let point = Point { lon_e6: 106_132_000, lat_e6: 38_500_000 };
        assert_eq!(said(Edit::Point(Some(point))).as_deref(), Some("坐标：106.132000, 38.500000"));
        let handled = Edit::HandledAt(Some(Millis(1_698_768_000_000)));
        assert_eq!(said(handled).as_deref(), Some("处置时间：2023-11-01 00:00"));
        let remark = Remark { text: "夜间复查".into(), at: Millis(0) };
        assert_eq!(said(Edit::AddRemark("x".into(), remark)).as_deref(), Some("夜间复查"));
        assert_eq!((said(Edit::AccuracyM(None)), said(Edit::HandleNote(String::new()))), (None, None));
    }
}
