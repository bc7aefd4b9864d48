//! Words of reports: short, full of the same places and problems, now and then something rare.

use super::Dice;

const ESTATES: [&str; 40] = [
    "文昌家园",
    "怀远小区",
    "朔方花园",
    "宁华嘉苑",
    "贺兰山庄",
    "西花园小区",
    "金波家园",
    "丽子园",
    "同心小区",
    "兴泾新村",
    "镇北堡西村",
    "学院路社区",
    "华西村",
    "十里铺",
    "芦花台",
    "双渠口",
    "良渠稍",
    "平吉堡",
    "西干渠",
    "北方民大",
    "宁大南门",
    "兴洲花园",
    "御景湖城",
    "西夏万达",
    "怀远市场",
    "共享公园",
    "流芳园",
    "富宁街口",
    "文萃路",
    "黄河路东段",
    "静安小区",
    "福星家园",
    "锦绣苑",
    "清水湾",
    "银川西站",
    "铁西小区",
    "机床厂家属院",
    "银纺小区",
    "橡胶厂路",
    "育才路",
];
const SIDES: [&str; 12] = [
    "东门",
    "西门外",
    "南侧",
    "北侧",
    "东侧人行道",
    "西侧绿化带",
    "地下车库",
    "楼道内",
    "停车场",
    "路口",
    "围墙边",
    "公厕旁",
];
const PROBLEMS: [&str; 36] = [
    "暴露垃圾",
    "积存渣土",
    "道路积水",
    "井盖损坏",
    "井盖缺失",
    "路灯不亮",
    "占道经营",
    "乱堆物料",
    "楼道堆物",
    "非机动车乱停",
    "机动车占用消防通道",
    "小广告乱张贴",
    "绿化带黄土裸露",
    "树木倒伏",
    "树枝遮挡路灯",
    "围挡破损",
    "施工扬尘",
    "噪声扰民",
    "污水外溢",
    "下水道堵塞",
    "垃圾箱满溢",
    "垃圾桶破损",
    "公厕异味",
    "护栏损坏",
    "人行道砖松动",
    "路面坑洼",
    "私拉电线",
    "飞线充电",
    "线缆垂落",
    "广告牌松动",
    "油烟扰民",
    "犬只未拴绳",
    "河道漂浮物",
    "积雪未清",
    "结冰路滑",
    "健身器材损坏",
];
const RARE: [&str; 8] =
    ["化粪池塌陷", "马蜂窝", "燃气泄漏", "古树枯死", "雨棚坠落", "野生狐狸", "变压器冒烟", "KTV噪声"];
const DONE: [&str; 8] =
    ["，已清理", "，已通知物业", "，已劝离", "，已联系产权单位", "，需平台流转", "，已设置警示", "，请尽快处理", ""];

pub(super) fn description(dice: &mut Dice) -> String {
    let problem =
        if dice.of(4_000) == 0 { RARE[dice.below(RARE.len())] } else { PROBLEMS[dice.skewed(PROBLEMS.len())] };
    let (side, done) = (SIDES[dice.below(SIDES.len())], DONE[dice.below(DONE.len())]);
    match dice.of(3) {
        0 => format!("{side}{problem}约{}平方米{done}", 1 + dice.of(20)),
        1 => format!("{}{side}{problem}{}处{done}", ESTATES[dice.below(ESTATES.len())], 1 + dice.of(5)),
        _ => format!("巡查发现{problem}{done}"),
    }
}

pub(super) fn place(dice: &mut Dice) -> String {
    format!("{}{}号楼{}单元", ESTATES[dice.skewed(ESTATES.len())], 1 + dice.of(60), 1 + dice.of(6))
}
