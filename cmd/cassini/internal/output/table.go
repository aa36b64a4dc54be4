package output

import (
	"io"
	"slices"
	"strings"

	"github.com/rivo/uniseg"
)

// Column describes one column of a table.
type Column struct {
	Title string
	Right bool // align to the right
	// Flex lets the column shrink, down to flexMin, where the terminal is narrow.
	Flex bool
	// Optional lets the column go where shrinking is not enough, the rightmost
	// first.
	Optional bool
}

// Cell is one field of a row. The zero Style takes the row's.
type Cell struct {
	Text  string
	Style Style
}

// Table is rows of text in columns.
type Table struct {
	Columns []Column
	rows    [][]Cell
}

const (
	flexMin  = 12
	gap      = "  "
	ellipsis = "…"
)

// Text turns strings into cells.
func Text(texts ...string) []Cell {
	cells := make([]Cell, len(texts))
	for i, t := range texts {
		cells[i].Text = t
	}
	return cells
}

// Columns is a table without rows, whose columns keep their widths unless told else.
func Columns(titles ...string) *Table {
	t := &Table{}
	for _, title := range titles {
		t.Columns = append(t.Columns, Column{Title: title})
	}
	return t
}

// Shrink lets the column of a title shrink where the terminal is narrow.
func (t *Table) Shrink(title string) *Table {
	t.column(title).Flex = true
	return t
}

// Spare lets the column of a title go where shrinking is not enough.
func (t *Table) Spare(title string) *Table {
	t.column(title).Optional = true
	return t
}

func (t *Table) column(title string) *Column {
	return &t.Columns[slices.IndexFunc(t.Columns, func(c Column) bool { return c.Title == title })]
}

// Add appends a row, one cell a column. The text is cleaned here, so that no
// table can forget it.
func (t *Table) Add(row Style, cells ...Cell) {
	for i := range cells {
		cells[i].Text = Clean(cells[i].Text)
		if cells[i].Style == Plain {
			cells[i].Style = row
		}
	}
	t.rows = append(t.rows, cells)
}

// DropEmpty takes away the columns of these titles in which no row has anything.
func (t *Table) DropEmpty(titles ...string) *Table {
	for i := len(t.Columns) - 1; i >= 0; i-- {
		some := func(row []Cell) bool { return row[i].Text != "" }
		if !slices.Contains(titles, t.Columns[i].Title) || slices.ContainsFunc(t.rows, some) {
			continue
		}
		t.Columns = slices.Delete(t.Columns, i, i+1)
		for n := range t.rows {
			t.rows[n] = slices.Delete(t.rows[n], i, i+1)
		}
	}
	return t
}

// Len is the number of rows.
func (t *Table) Len() int { return len(t.rows) }

// Write renders the table for a terminal.
func (t *Table) Write(w io.Writer, term Terminal) error {
	shown, widths := t.layout(term.Width)
	var b strings.Builder
	header := make([]Cell, len(t.Columns))
	for i, c := range t.Columns {
		header[i] = Cell{c.Title, Bold}
	}
	for _, row := range append([][]Cell{header}, t.rows...) {
		t.writeRow(&b, row, shown, widths, term)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// writeRow pads every cell but the last, which would only trail blanks.
func (t *Table) writeRow(b *strings.Builder, row []Cell, shown []int, widths []int, term Terminal) {
	blanks := 0 // owed, written once something follows
	for n, i := range shown {
		text := truncate(row[i].Text, widths[i])
		space := widths[i] - uniseg.StringWidth(text)
		if n > 0 {
			blanks += len(gap)
		}
		if t.Columns[i].Right {
			blanks, space = blanks+space, 0
		}
		if text != "" {
			b.WriteString(strings.Repeat(" ", blanks))
			b.WriteString(term.Paint(row[i].Style, text))
			blanks = 0
		}
		blanks += space
	}
	b.WriteByte('\n')
}

// truncate cuts text to a width in columns of the terminal.
func truncate(text string, width int) string {
	if uniseg.StringWidth(text) <= width {
		return text
	}
	var b strings.Builder
	left := width - 1
	for graphemes := uniseg.NewGraphemes(text); graphemes.Next(); {
		if left -= graphemes.Width(); left < 0 {
			break
		}
		b.WriteString(graphemes.Str())
	}
	return b.String() + ellipsis
}
