//! Rows and columns that fit.

use super::{Paper, Tone, visible, width, wrap};

/// Between two columns.
const GAP: usize = 2;
/// A column is not made narrower than this, while another can be.
const LEAST: usize = 8;

/// To which side of its column a text is moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::cli) enum Align {
    /// Texts.
    Left,
    /// Figures. They are kept whole.
    Right,
}

/// What stands in one field.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::cli) struct Cell {
    text: String,
    tone: Tone,
}

impl Cell {
    /// A text, which others may have written.
    pub(in crate::cli) fn new(text: impl AsRef<str>, tone: Tone) -> Self {
        Self { text: visible(text.as_ref()), tone }
    }

    /// A text that means nothing more.
    pub(in crate::cli) fn plain(text: impl AsRef<str>) -> Self {
        Self::new(text, Tone::Plain)
    }
}

/// A table. Texts that are too wide go on in the next line of their column.
#[derive(Clone, Debug)]
pub(in crate::cli) struct Table {
    columns: Vec<Align>,
    rows: Vec<Vec<Cell>>,
}

impl Table {
    /// An empty table with these columns.
    pub(in crate::cli) fn new(columns: &[Align]) -> Self {
        Self { columns: columns.to_vec(), rows: Vec::new() }
    }

    /// The names of the columns, or another row that stands out.
    pub(in crate::cli) fn head(&mut self, names: &[&str]) {
        self.row(names.iter().map(|name| Cell::new(name, Tone::Strong)).collect());
    }

    /// One row more.
    pub(in crate::cli) fn row(&mut self, cells: Vec<Cell>) {
        self.rows.push(cells);
    }

    /// Its lines, each no wider than the paper, with a line end.
    pub(in crate::cli) fn draw(&self, paper: Paper) -> String {
        let widths = self.widths(paper.width);
        let mut text = String::new();
        for row in &self.rows {
            let fields: Vec<Vec<String>> = row.iter().zip(&widths).map(|(cell, most)| wrap(&cell.text, *most)).collect();
            for at in 0..fields.iter().map(Vec::len).max().unwrap_or(0) {
                let mut line = String::new();
                let mut owed = 0;
                for ((field, cell), (most, align)) in fields.iter().zip(row).zip(widths.iter().zip(&self.columns)) {
                    let part = field.get(at).map_or("", String::as_str);
                    let room = most.saturating_sub(width(part));
                    let before = if *align == Align::Right { room } else { 0 };
                    if !part.is_empty() {
                        line.push_str(&" ".repeat(owed + before));
                        line.push_str(&paper.paint(part, cell.tone));
                        owed = 0;
                    } else {
                        owed += before;
                    }
                    owed += room - before + GAP;
                }
                text.push_str(&line);
                text.push('\n');
            }
        }
        text
    }

    /// How wide each column becomes: as its widest text, and narrower, the widest first, until all fit.
    fn widths(&self, room: Option<usize>) -> Vec<usize> {
        let widest = |column: usize| self.rows.iter().filter_map(|row| row.get(column)).map(|cell| width(&cell.text)).max().unwrap_or(0);
        let mut widths: Vec<usize> = (0..self.columns.len()).map(widest).collect();
        let Some(room) = room.map(|room| room.saturating_sub(GAP * self.columns.len().saturating_sub(1))) else { return widths };
        while widths.iter().sum::<usize>() > room {
            let texts = widths.iter_mut().zip(&self.columns).filter(|(most, align)| **align == Align::Left && **most > LEAST);
            let narrowed = texts.map(|(most, _)| most).max();
            match narrowed {
                Some(most) => *most -= 1,
                None => match widths.iter_mut().max().filter(|most| **most > 2) {
                    Some(most) => *most -= 1,
                    None => break,
                },
            }
        }
        widths
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new(&[Align::Left, Align::Right, Align::Left]);
        table.head(&["route", "s", "what"]);
        table.row(vec![
            Cell::plain("provider/stream/inbox"),
            Cell::plain("12.5"),
            Cell::new("refused: 世界世界 \u{1b}[2J and more words", Tone::Bad),
        ]);
        table.row(vec![Cell::plain("a/b/c"), Cell::plain("1.5"), Cell::default()]);
        table
    }

    const fn paper(width: Option<usize>, colour: bool) -> Paper {
        Paper { terminal: true, colour, width }
    }

    #[test]
    fn it_is_as_wide_as_its_texts_where_there_is_room() {
        let text = table().draw(paper(None, false));
        assert_eq!(
            text,
            "route                     s  what\nprovider/stream/inbox  12.5  refused: 世界世界 \\u{1b}[2J and more words\na/b/c                   1.5\n"
        );
    }

    #[test]
    fn it_fits_and_loses_nothing() {
        for wide in 20..90 {
            let text = table().draw(paper(Some(wide), false));
            assert!(text.lines().all(|line| width(line) <= wide), "{wide}\n{text}");
            assert!(text.contains("12.5") && text.matches('世').count() == 2, "{wide}\n{text}");
        }
    }

    #[test]
    fn colours_change_no_width() {
        let bare = |text: &str| text.replace("\u{1b}[1;31m", "").replace("\u{1b}[1m", "").replace("\u{1b}[0m", "");
        for wide in [40, 60, 80] {
            assert_eq!(bare(&table().draw(paper(Some(wide), true))), table().draw(paper(Some(wide), false)));
        }
    }
}
