package watch

import "slices"

const (
	flexMin = 12
	tailMin = 18  // a column of names; where even that has no room, others go
	wide    = 120 // columns from which on gaps are two blanks
)

// layout is which columns are shown and how wide each is.
type layout struct {
	shown  []int
	widths []int
	gap    int
}

// lay fits columns into a width; 0 is no limit.
func lay(columns []column, rows []row, limit int) layout {
	l := layout{widths: natural(columns, rows), gap: 2}
	for i := range columns {
		l.shown = append(l.shown, i)
	}
	if limit <= 0 {
		return l
	}
	if limit < wide {
		l.gap = 1
	}
	for l.need(columns) > limit {
		n := last(columns, l.shown)
		if n < 0 {
			break
		}
		l.shown = slices.Delete(l.shown, n, n+1)
	}
	l.shrink(columns, limit)
	return l
}

// natural is how wide columns would be without a limit. Titles of columns that can be
// sorted by have room for the arrow.
func natural(columns []column, rows []row) []int {
	widths := make([]int, len(columns))
	for i, c := range columns {
		widths[i] = max(c.least, width(c.title)+1)
	}
	for _, r := range rows {
		for i, c := range r.cells {
			widths[i] = max(widths[i], c.width)
		}
	}
	return widths
}

// need is the width of a row when all that can shrink has, as far as it should.
func (l *layout) need(columns []column) int {
	sum := l.gap * (len(l.shown) - 1)
	for _, i := range l.shown {
		switch {
		case columns[i].tail:
			sum += min(l.widths[i], tailMin)
		case columns[i].flex:
			sum += min(l.widths[i], flexMin)
		default:
			sum += l.widths[i]
		}
	}
	return sum
}

// last is the index in shown of the column to drop next, -1 for none.
func last(columns []column, shown []int) int {
	found := -1
	for n, i := range shown {
		if columns[i].drop > 0 && (found < 0 || columns[i].drop > columns[shown[found]].drop) {
			found = n
		}
	}
	return found
}

// shrink takes from the widest flexible column until a row fits.
func (l *layout) shrink(columns []column, limit int) {
	total := l.gap * (len(l.shown) - 1)
	for _, i := range l.shown {
		l.widths[i] = min(l.widths[i], limit)
		total += l.widths[i]
	}
	for ; total > limit; total-- {
		widest := -1
		for _, i := range l.shown {
			if columns[i].flex && l.widths[i] > flexMin && (widest < 0 || l.widths[i] > l.widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			return
		}
		l.widths[widest]--
	}
}
