//! W: the workload all sync figures are stated for.
//!
//! 100 cases with 3 offline edits each, about 498 B of JSON per case in their final state: id, category, 15-digit
//! grid, place, time, reporter, a description of 45 to 120 characters, status words and a note. Descriptions are made
//! from templates, as inspectors write them, so they compress well; every peer is measured on the same bytes.

use serde_json::{Value, json};
use xunge_client_core::model::{CaseId, CategoryRef, CoordSys, Facts, LocationSource, Millis, Mode, Point};

const PLACES: [&str; 12] = [
    "怀远东路与文萃街交叉口东北角人行道",
    "宁华路幼儿园南门对面非机动车道",
    "西花园小区三号楼二单元门前绿化带旁",
    "朔方路农贸市场北侧出入口消防通道",
    "同心路公交站台后方垃圾收集点",
    "贺兰山西路商业街铺面门前停车区",
    "文昌路派出所西侧围墙外空地",
    "镇北堡镇政府广场东侧健身器材区",
    "兴泾镇回民街农机配件店门口",
    "学院路高校家属区西门岗亭旁",
    "金波路与丽子园街十字路口西南角",
    "北京西路高架桥下方调头车道旁",
];
const PROBLEMS: [&str; 10] = [
    "发现暴露垃圾约两平方米,有异味",
    "有车辆长时间占用盲道停放",
    "商户占道经营摆放桌椅影响通行",
    "楼道内堆放纸箱和旧家具,存在火灾隐患",
    "墙面张贴小广告十余处",
    "餐厨垃圾桶未按时收回,地面有油污",
    "非机动车乱停乱放,阻挡出入口",
    "道路清扫不及时,落叶和塑料袋较多",
    "居民在公共护栏上晾晒被褥",
    "施工围挡外侧堆放渣土未覆盖",
];
const ACTIONS: [&str; 8] = [
    "已联系物业公司安排人员清理,现场劝导商户整改,下午复查",
    "已当场劝离并告知相关规定,当事人表示配合",
    "已通知环卫班组到场处置,预计一小时内清运完毕",
    "已拍照取证,需转交综合执法局处理",
    "已与社区工作人员共同清理完毕,恢复通道畅通",
    "当事人不在现场,已在车窗留置告知单,需持续关注",
    "已协调保洁公司增派人员,重点时段加强巡查",
    "已要求责任单位限期整改,明日上午现场核实",
];

/// A small generator of our own, so that W is the same on every machine for ever.
#[derive(Debug, Clone)]
pub struct Dice(u64);

impl Dice {
    /// Starts at `seed`.
    pub fn new(seed: u64) -> Self {
        Self(seed ^ 0x9e37_79b9_7f4a_7c15)
    }

    /// SplitMix64.
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// 0 to `bound` - 1.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.roll() % bound
    }

    /// True so often in a thousand.
    pub fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1_000) < per_mille
    }

    /// One of a list.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len() as u64) as usize]
    }

    /// Ten random bytes for an id.
    pub fn ten(&mut self) -> [u8; 10] {
        let mut bytes = [0; 10];
        bytes[..8].copy_from_slice(&self.roll().to_be_bytes());
        bytes[8..].copy_from_slice(&self.roll().to_be_bytes()[..2]);
        bytes
    }
}

/// One case of W: what the inspector first saved, and the three edits that followed before any network.
#[derive(Debug, Clone)]
pub struct Reported {
    /// The case.
    pub id: CaseId,
    /// The facts after the draft and after each edit; the last is the final state.
    pub states: [Facts; 4],
}

impl Reported {
    /// The final state.
    pub fn last(&self) -> &Facts {
        &self.states[3]
    }
}

/// W with `count` cases.
pub fn cases(seed: u64, count: usize) -> Vec<Reported> {
    let mut dice = Dice::new(seed);
    let mut now = Millis(1_700_000_000_000);
    (0..count)
        .map(|_| {
            now = now.plus_ms(30_000 + dice.below(400_000) as i64);
            one(&mut dice, now)
        })
        .collect()
}

fn one(dice: &mut Dice, now: Millis) -> Reported {
    let place = dice.pick(&PLACES);
    let category = CategoryRef {
        scheme: "xixia-2023".to_owned(),
        kind: xunge_client_core::model::Kind::Event,
        code: format!("XX{:02}{:02}", 1 + dice.below(3), 1 + dice.below(4)),
    };
    let first = Facts {
        category_claim: Some(category),
        description: format!("{place}{}。", dice.pick(&PROBLEMS)),
        point: Some(Point {
            lon_e6: 106_000_000 + dice.below(200_000) as i32,
            lat_e6: 38_400_000 + dice.below(200_000) as i32,
        }),
        accuracy_m: Some(3 + dice.below(40) as u32),
        coord_sys: Some(CoordSys::Wgs84),
        location_source: Some(LocationSource::Gps),
        grid_claim: Some(format!("640105{:03}{:03}{:03}", 1 + dice.below(7), 1 + dice.below(9), 1 + dice.below(20))),
        mode_claim: Some(Mode::Forwarded),
        discovered_at: Some(now),
        ..Facts::default()
    };
    let mut second = first.clone();
    second.handle_note = (*dice.pick(&ACTIONS)).to_owned();
    second.mode_claim = Some(Mode::SelfHandled);
    let mut third = second.clone();
    third.point = Some(Point {
        lon_e6: 106_000_000 + dice.below(200_000) as i32,
        lat_e6: 38_400_000 + dice.below(200_000) as i32,
    });
    third.description =
        format!("{place}{},{}。{}", dice.pick(&PROBLEMS), dice.pick(&PROBLEMS), "附近居民多次反映,请重点关注");
    let mut fourth = third.clone();
    fourth.handle_note = (*dice.pick(&ACTIONS)).to_owned();
    fourth.handled_at = Some(now.plus_ms(60_000 + dice.below(3_000_000) as i64));
    Reported { id: CaseId::from_parts(now, dice.ten()), states: [first, second, third, fourth] }
}

/// The same final states as one JSON list: what the lower bound compresses.
pub fn json(cases: &[Reported]) -> Value {
    let rows: Vec<Value> = cases
        .iter()
        .map(|case| {
            let mut row = serde_json::to_value(case.last()).expect("facts are plain data");
            row["id"] = json!(case.id);
            row
        })
        .collect();
    Value::Array(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn w_has_the_size_it_is_stated_with() {
        let cases = cases(1, 100);
        let per_case = json(&cases).to_string().len() / cases.len();
        assert!((450..=620).contains(&per_case), "{per_case} B of JSON per case");
        for case in &cases {
            let chars = case.last().description.chars().count();
            assert!((45..=120).contains(&chars), "{chars} characters");
        }
    }

    #[test]
    fn w_is_the_same_every_time() {
        assert_eq!(json(&cases(1, 10)), json(&cases(1, 10)));
        assert_ne!(json(&cases(1, 10)), json(&cases(2, 10)));
    }
}
