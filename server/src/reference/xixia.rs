//! The example district: 银川市西夏区, as `init --example xixia` and the demo build it.
//!
//! Real are the names and codes of the district, its seven streets and two towns, and the units the published
//! report names. Communities, grids, outlines, handling units and people are made up: the outlines are a synthetic
//! tessellation and every map of them says so.

use super::org_file::{FORMAT, OrgFile, PlaceEntry, UnitEntry, UserEntry};
use super::taxonomy::XIXIA;
use super::tessellation::{Block, Lattice};

/// Code of the district.
pub const DISTRICT: &str = "640105";
const CITY: &str = "640100";
/// Printed under every map of the example.
pub const MAP_NOTE: &str = "示意网格，非真实边界";

/// A street or town: code digits, short name, office name, where its block lies (column, row), inspectors.
///
/// The number of inspectors follows the month's reports: the six published units are the six that report least.
struct Street {
    digits: &'static str,
    name: &'static str,
    office: &'static str,
    pinyin: &'static str,
    block: (i32, i32),
    inspectors: usize,
}

const fn street(
    digits: &'static str,
    names: (&'static str, &'static str, &'static str),
    block: (i32, i32),
    inspectors: usize,
) -> Street {
    Street { digits, name: names.0, office: names.1, pinyin: names.2, block, inspectors }
}

const STREETS: [Street; 9] = [
    street("001", ("西花园路街道", "西花园路街道办事处", "xihuayuan"), (1, 2), 5),
    street("002", ("北京西路街道", "北京西路街道办事处", "beijingxi"), (2, 2), 5),
    street("003", ("文昌路街道", "文昌路街道办事处", "wenchang"), (1, 1), 3),
    street("004", ("朔方路街道", "朔方路街道办事处", "shuofang"), (2, 0), 5),
    street("005", ("宁华路街道", "宁华路街道办事处", "ninghua"), (0, 1), 3),
    street("006", ("贺兰山西路街道", "贺兰山西路街道办事处", "helanshanxi"), (1, 0), 3),
    street("007", ("怀远路街道", "怀远路街道办事处", "huaiyuan"), (2, 1), 5),
    street("100", ("兴泾镇", "兴泾镇人民政府", "xingjing"), (0, 2), 2),
    street("101", ("镇北堡镇", "镇北堡镇人民政府", "zhenbeipu"), (0, 0), 2),
];

/// A reporting department: code, name, log-in stem, inspectors.
const DEPARTMENTS: [(&str, &str, &str, usize); 3] = [
    ("U640105-ZF", "西夏区综合执法局", "zhifa", 3),
    ("U640105-ZJ", "西夏区住建局", "zhujian", 2),
    ("U640105-WG", "西夏区网格化综合管理中心", "wangge", 2),
];

/// A handling unit: code, name, log-in stem, the minors it usually handles.
const HANDLERS: [(&str, &str, &str, &[&str]); 6] = [
    ("U640105-HW", "西夏区环境卫生管理所", "huanwei", &["XX0101", "XX0201", "XX0202", "XX0203", "XX0304"]),
    ("U640105-SZ", "西夏区市政设施管理所", "shizheng", &["XX9903", "XX9906"]),
    ("U640105-YL", "西夏区园林绿化管理所", "yuanlin", &["XX9905"]),
    ("U640105-WY", "西夏区物业管理服务中心", "wuye", &["XX01"]),
    ("U640105-ZD", "西夏区综合执法大队", "zhifadui", &["XX02", "XX03", "XX9901", "XX9902"]),
    ("U640105-JJ", "西夏区交通秩序管理中队", "jiaotong", &["XX0102", "XX0302", "XX9904"]),
];

/// Cells across a street and across a community.
const CELLS: i32 = 4;
const COMMUNITIES: i32 = 2;

const NUMERALS: [&str; 4] = ["第一", "第二", "第三", "第四"];

/// The example as an org file; it is valid, a test says so.
pub fn org_file() -> OrgFile {
    let lattice = Lattice {
        west: 106_000_000,
        south: 38_400_000,
        east: 106_200_000,
        north: 38_650_000,
        columns: 3 * CELLS,
        rows: 3 * CELLS,
    };
    let mut file = OrgFile {
        format: FORMAT.to_owned(),
        note: "银川市西夏区示例：街道名称与编码真实，社区、网格、处置单位与人员为虚构".to_owned(),
        map_note: MAP_NOTE.to_owned(),
        places: vec![
            place(CITY, "银川市", None, Vec::new()),
            place(DISTRICT, "西夏区", Some(CITY), ring(&lattice, lattice.whole())),
        ],
        units: Vec::new(),
        users: office_users(),
    };
    for street in &STREETS {
        let code = format!("{DISTRICT}{}", street.digits);
        let grids = add_places(&mut file.places, &lattice, street, &code);
        file.units.push(unit(&format!("U{code}"), street.office, "town_office", Some(code.clone()), &[]));
        add_reviewers(&mut file.users, street.pinyin, street.office, &code, &format!("U{code}"));
        add_inspectors(
            &mut file.users,
            (street.pinyin, street.name),
            &code,
            &format!("U{code}"),
            &share(&grids, street.inspectors),
        );
    }
    let all: Vec<String> = file.places.iter().filter(|place| place.code.len() == 15).map(|p| p.code.clone()).collect();
    for (code, name, stem, inspectors) in DEPARTMENTS {
        file.units.push(unit(code, name, "department", None, &[]));
        add_reviewers(&mut file.users, stem, name, DISTRICT, code);
        add_inspectors(&mut file.users, (stem, name), DISTRICT, code, &share(&all, inspectors));
    }
    for (code, name, stem, minors) in HANDLERS {
        file.units.push(unit(code, name, "handling", None, minors));
        file.users.push(user(&format!("handle-{stem}"), &format!("{name}处置员"), "handling_unit", code, Some(code)));
    }
    file
}

/// A street with its communities and grids; returns the codes of the grids.
fn add_places(places: &mut Vec<PlaceEntry>, lattice: &Lattice, street: &Street, code: &str) -> Vec<String> {
    let block = lattice.whole().part(3, street.block.0, street.block.1);
    places.push(place(code, street.name, Some(DISTRICT), ring(lattice, block)));
    let stem = street.name.trim_end_matches("街道").trim_end_matches('镇');
    let mut grids = Vec::new();
    for (index, numeral) in NUMERALS.iter().enumerate() {
        let community = format!("{code}{:03}", index + 1);
        let area = part(block, index);
        places.push(place(&community, &format!("{stem}{numeral}社区"), Some(code), ring(lattice, area)));
        for (cell, numeral_of_grid) in NUMERALS.iter().enumerate() {
            let grid = format!("{community}{:03}", cell + 1);
            let name = format!("{stem}{numeral}社区{numeral_of_grid}网格");
            places.push(place(&grid, &name, Some(&community), ring(lattice, part(area, cell))));
            grids.push(grid);
        }
    }
    grids
}

/// The `index`-th quarter of a block, row by row from the north-west.
fn part(block: Block, index: usize) -> Block {
    let index = index as i32;
    block.part(COMMUNITIES, index % COMMUNITIES, index / COMMUNITIES)
}

/// The closed ring of a block in degrees.
fn ring(lattice: &Lattice, block: Block) -> Vec<[f64; 2]> {
    let corners = lattice.outline(block).0;
    corners.iter().chain(corners.first()).map(|corner| <[f64; 2]>::from(corner.degrees())).collect()
}

/// Cuts the grids into as many runs of neighbours as there are inspectors.
fn share(grids: &[String], inspectors: usize) -> Vec<Vec<String>> {
    (0..inspectors)
        .map(|index| grids[grids.len() * index / inspectors..grids.len() * (index + 1) / inspectors].to_vec())
        .collect()
}

fn place(code: &str, name: &str, parent: Option<&str>, polygon: Vec<[f64; 2]>) -> PlaceEntry {
    PlaceEntry { code: code.to_owned(), name: name.to_owned(), parent: parent.map(str::to_owned), polygon }
}

fn unit(code: &str, name: &str, kind: &str, street: Option<String>, handles: &[&str]) -> UnitEntry {
    UnitEntry {
        code: code.to_owned(),
        name: name.to_owned(),
        kind: kind.to_owned(),
        district: DISTRICT.to_owned(),
        street,
        handles: handles.iter().map(|minor| format!("{XIXIA}:event:{minor}")).collect(),
    }
}

fn user(login: &str, name: &str, role: &str, scope: &str, unit: Option<&str>) -> UserEntry {
    UserEntry {
        user: login.to_owned(),
        name: name.to_owned(),
        role: role.to_owned(),
        scope: scope.to_owned(),
        unit: unit.map(str::to_owned),
        grids: Vec::new(),
    }
}

/// The people of the district centre (区监督指挥中心).
fn office_users() -> Vec<UserEntry> {
    [
        ("admin", "系统管理员", "admin"),
        ("leader-1", "值班长甲", "duty_leader"),
        ("leader-2", "值班长乙", "duty_leader"),
        ("dispatch-1", "派遣员甲", "dispatcher"),
        ("dispatch-2", "派遣员乙", "dispatcher"),
        ("hotline-1", "话务员甲", "hotline"),
        ("hotline-2", "话务员乙", "hotline"),
        ("audit-1", "督查员甲", "auditor"),
    ]
    .map(|(login, name, role)| user(login, name, role, DISTRICT, None))
    .to_vec()
}

fn add_reviewers(users: &mut Vec<UserEntry>, stem: &str, name: &str, scope: &str, unit: &str) {
    for (number, mark) in ["甲", "乙"].iter().enumerate() {
        let login = format!("review-{stem}-{}", number + 1);
        users.push(user(&login, &format!("{name}审核员{mark}"), "town_office", scope, Some(unit)));
    }
}

fn add_inspectors(
    users: &mut Vec<UserEntry>,
    (stem, name): (&str, &str),
    scope: &str,
    unit: &str,
    shares: &[Vec<String>],
) {
    for (number, grids) in shares.iter().enumerate() {
        let login = format!("insp-{stem}-{}", number + 1);
        let mut inspector = user(&login, &format!("{name}网格员{}", number + 1), "inspector", scope, Some(unit));
        inspector.grids = grids.clone();
        users.push(inspector);
    }
}

#[cfg(test)]
#[path = "xixia_tests.rs"]
mod tests;
