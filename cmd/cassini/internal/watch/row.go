package watch

import (
	"cmp"
	"slices"
	"strings"

	"cassini/cmd/cassini/internal/output"
)

// order is how a column sorts unless it is reversed.
type order uint8

const (
	byText order = iota
	mostFirst
	leastFirst
)

// column is one column of a table.
type column struct {
	title string
	right bool
	// flex lets it shrink to flexMin; tail keeps the end of what is cut.
	flex, tail bool
	least      int // its smallest width, so that numbers do not make it jump
	drop       int // where the terminal is narrow, the highest goes first; 0 never
	order      order
}

// cell is one field. n is what it sorts by where the column is not sorted by text.
type cell struct {
	text  string
	width int // of the text, once it is clean
	n     float64
	style output.Style
}

// maxCell and maxFact bound what is shown of one text, in bytes.
const (
	maxCell = 1 << 9
	maxFact = 1 << 13
)

// Marks of rows.
const (
	markNew   = "+"
	markEnded = "-"
)

// row is one line of a table.
type row struct {
	id    string
	mark  string
	faded bool   // over, or quiet
	old   bool   // over or quiet for so long that it shows only on demand
	also  string // what the filter finds besides the cells
	// weight orders rows that are equal: the heaviest first.
	weight float64
	cells  []cell
}

// matches says whether a filter in lower case finds the row.
func (r *row) matches(filter string) bool {
	if filter == "" {
		return true
	}
	var b strings.Builder
	for _, c := range r.cells {
		b.WriteString(c.text + " ")
	}
	return strings.Contains(strings.ToLower(b.String()+r.also), filter)
}

// sortRows sorts by one column, then by weight, then by identifier.
func sortRows(rows []row, by int, o order, reverse bool) {
	slices.SortFunc(rows, func(a, b row) int {
		x, y := a.cells[by], b.cells[by]
		c := 0
		switch o {
		case byText:
			c = cmp.Compare(x.text, y.text)
		case mostFirst:
			c = cmp.Compare(y.n, x.n)
		case leastFirst:
			c = cmp.Compare(x.n, y.n)
		}
		if reverse {
			c = -c
		}
		return cmp.Or(c, cmp.Compare(b.weight, a.weight), cmp.Compare(a.id, b.id))
	})
}

// clean makes all text of a row harmless, once, where rows are made.
func (r *row) clean() {
	for i := range r.cells {
		text := output.Clean(bound(r.cells[i].text, maxCell))
		r.cells[i].text, r.cells[i].width = text, width(text)
	}
	r.also = output.Clean(bound(r.also, maxCell))
}
