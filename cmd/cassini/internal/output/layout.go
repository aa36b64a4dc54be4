package output

import (
	"slices"

	"github.com/rivo/uniseg"
)

// layout chooses which columns are shown and how wide each is, so that a row
// fits into limit columns of the terminal if it can. 0 means no limit.
func (t *Table) layout(limit int) (shown, widths []int) {
	widths = t.natural()
	for i := range t.Columns {
		shown = append(shown, i)
	}
	if limit <= 0 {
		return shown, widths
	}
	for t.least(shown, widths) > limit {
		n := len(shown) - 1
		for n >= 0 && !t.Columns[shown[n]].Optional {
			n--
		}
		if n < 0 {
			break
		}
		shown = slices.Delete(shown, n, n+1)
	}
	t.shrink(shown, widths, limit)
	return shown, widths
}

// natural is how wide each column would be without a limit.
func (t *Table) natural() []int {
	widths := make([]int, len(t.Columns))
	for i, c := range t.Columns {
		widths[i] = uniseg.StringWidth(c.Title)
		for _, row := range t.rows {
			widths[i] = max(widths[i], uniseg.StringWidth(row[i].Text))
		}
	}
	return widths
}

// least is the width of a row when all that can shrink has.
func (t *Table) least(shown, widths []int) int {
	sum := len(gap) * (len(shown) - 1)
	for _, i := range shown {
		if t.Columns[i].Flex {
			sum += min(widths[i], flexMin)
		} else {
			sum += widths[i]
		}
	}
	return sum
}

// shrink takes columns of width from the widest flexible column, again and
// again, until a row fits.
func (t *Table) shrink(shown, widths []int, limit int) {
	total := len(gap) * (len(shown) - 1)
	for _, i := range shown {
		total += widths[i]
	}
	for ; total > limit; total-- {
		widest := -1
		for _, i := range shown {
			if t.Columns[i].Flex && widths[i] > flexMin && (widest < 0 || widths[i] > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			return
		}
		widths[widest]--
	}
}
