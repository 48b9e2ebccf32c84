//! The picture of a simulation: a document that a reader of XML takes, with every panel, numbers for places, and no text that is markup.

use std::path::Path;
use std::process::Command;

use roxmltree::{Document, Node};

use super::support::temp_dir::TempDir;

const STOP: &str = "[[failure]]\nkind = \"stop\"\nculprit = { provider = \"p0\" }\nlasts = \"20m\"\n";
const SHORT: &str = "[runs]\ncount = 12\nlearn = \"6h\"\nquiet = 1\nquiet_lasts = \"2d\"\n";
/// Attributes that say where something lies.
const PLACES: &[&str] = &["x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r", "width", "height"];

/// The picture of a scenario in a file of this name.
fn drawn(name: &str, scenario: &str) -> String {
    let folder = TempDir::new("picture");
    let file = folder.path().join(name);
    std::fs::write(&file, scenario).unwrap();
    svg(&file)
}

fn svg(file: &Path) -> String {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mailcanary"));
    let output = command.arg("simulate").arg(file).args(["--output", "svg"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn texts(node: Node<'_, '_>) -> String {
    let texts = node.descendants().filter(|n| n.has_tag_name("text")).filter_map(|n| n.text().map(str::to_owned));
    texts.collect::<Vec<_>>().join(" ")
}

fn panel<'d>(document: &'d Document<'_>, id: &str) -> Node<'d, 'd> {
    document.descendants().find(|n| n.attribute("id") == Some(id)).unwrap_or_else(|| panic!("no panel `{id}`"))
}

fn count(node: Node<'_, '_>, class: &str) -> usize {
    let classes = |n: &Node<'_, '_>| n.attribute("class").is_some_and(|c| class.split(' ').all(|word| c.split(' ').any(|w| w == word)));
    node.descendants().filter(classes).count()
}

/// Every place is a number, and on the paper.
fn assert_places(document: &Document<'_>) {
    let root = document.root_element();
    let (width, height): (f64, f64) =
        (root.attribute("width").unwrap().parse().unwrap(), root.attribute("height").unwrap().parse().unwrap());
    let most = width.max(height);
    let mut seen = 0;
    for node in document.descendants() {
        let single = PLACES.iter().filter_map(|name| node.attribute(*name));
        let many = node.attribute("points").into_iter().flat_map(|points| points.split([' ', ',']));
        for place in single.chain(many) {
            let place: f64 = place.parse().unwrap_or_else(|e| panic!("`{place}`: {e}"));
            assert!(place.is_finite() && (0.0..=most).contains(&place), "{node:?}: {place}");
            seen += 1;
        }
    }
    assert!(seen > 100, "{seen}");
}

#[test]
fn a_picture_has_every_panel_and_says_what_was_played() {
    let text = drawn("stop.toml", &format!("{STOP}{SHORT}seed = 7\n"));
    let document = Document::parse(&text).unwrap();
    assert_places(&document);
    for id in ["survival", "trade", "told"] {
        assert!(count(panel(&document, id), "line mailcanary") + count(panel(&document, id), "line paging") > 0, "{id}");
    }
    assert_eq!(count(panel(&document, "survival"), "line truth"), 2, "the curve and its sample");
    for who in ["fixed", "phi", "bound"] {
        assert!(count(panel(&document, "trade"), &format!("line {who}")) > 1, "{who}");
        assert!(count(panel(&document, "told"), &format!("line {who}")) > 1, "{who}");
    }
    let said = texts(document.root_element());
    for expected in
        ["stop.toml", "deadline 15m", "seed 7", "12 runs", "stop of provider:p0 for 20m", "0.0 quiet years", "false pages a year"]
    {
        assert!(said.contains(expected), "`{expected}`: {said}");
    }
    assert!(document.descendants().all(|n| !n.has_tag_name("script") && !n.has_tag_name("image")), "it stands alone");
    let links = ["href=", "url(", "@import"];
    assert!(links.iter().all(|link| !text.contains(link)), "it stands alone");
    assert_eq!(text, drawn("stop.toml", &format!("{STOP}{SHORT}seed = 7\n")), "the same seed draws the same");
}

#[test]
fn a_hostile_name_is_text() {
    let name = "<script>alert(1)<|script> & \"'&#0;]]>--><svg onload=x>\u{1}\u{1b}[31m.toml";
    let text = drawn(name, "[runs]\nquiet = 1\nquiet_lasts = \"1h\"\n");
    let document = Document::parse(&text).unwrap();
    let head = document.descendants().find(|n| n.attribute("class") == Some("head")).and_then(|n| n.text()).unwrap();
    assert_eq!(head, format!("Simulation of {}", name.replace(['\u{1}', '\u{1b}'], "\u{fffd}")));
    assert!(document.descendants().all(|n| !n.has_tag_name("script")));
    assert_eq!(document.descendants().filter(|n| n.has_tag_name("svg")).count(), 1);
    let long = drawn(&format!("{}.toml", "w".repeat(240)), "[runs]\nquiet = 0\n");
    assert!(Document::parse(&long).unwrap().descendants().filter_map(|n| n.text()).any(|t| t.ends_with("ww…")));
}

#[test]
fn what_was_not_played_is_said_and_not_drawn() {
    let quiet = drawn("quiet.toml", "[mail]\nlost = \"0%\"\n[runs]\nquiet = 1\nquiet_lasts = \"6h\"\n");
    let document = Document::parse(&quiet).unwrap();
    assert_places(&document);
    assert!(count(panel(&document, "survival"), "line truth") == 2 && count(panel(&document, "survival"), "band") == 2);
    assert!(["trade", "told"].iter().all(|id| texts(panel(&document, id)).contains("nothing breaks in this scenario")));
    let failing = "[[failure]]\nkind = \"junk\"\nshare = \"40%\"\nculprit = { provider = \"p0\" }\nlasts = \"20m\"\n";
    let junk = drawn("junk.toml", &format!("{failing}[runs]\ncount = 5\nlearn = \"2h\"\nquiet = 0\n"));
    let document = Document::parse(&junk).unwrap();
    assert_places(&document);
    assert!(texts(panel(&document, "trade")).contains("no quiet time was played"));
    assert!(texts(panel(&document, "told")).contains("missed 5 of 5"), "other rules look at no placement");
    assert_eq!(count(document.root_element(), "line bound"), 0, "nothing is known of a bound");
}
