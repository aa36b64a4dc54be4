package watch

import (
	"strings"

	"cassini/cmd/cassini/internal/output"
)

// indent is the room for the cursor and the mark of a row.
const indent = 2

// table are the lines of the view that is shown, its titles first.
func (m *Model) table() []string {
	v := m.views[m.shown]
	limit := 0
	if m.width > 0 {
		limit = max(1, m.width-indent)
	}
	l := lay(v.columns, v.rows, limit)
	lines := []string{m.titles(v, l)}
	n := m.body()
	if m.height > 0 {
		v.top = max(0, min(v.top, v.cursor, len(v.rows)-n))
		v.top = max(v.top, v.cursor-n+1)
	}
	for i := v.top; i < min(len(v.rows), v.top+n); i++ {
		lines = append(lines, m.row(v.columns, &v.rows[i], l, m.height > 0 && i == v.cursor))
	}
	if len(v.rows) == 0 && m.began {
		lines = append(lines, m.line(output.Dim, "  "+m.none(v)))
	}
	return lines
}

// none says why there are no rows.
func (m *Model) none(v *tab) string {
	switch {
	case len(v.all) == 0:
		return "none"
	case m.filter != "":
		return "none with /" + output.Clean(m.filter) + "; esc shows the others"
	}
	return "none of late; a shows those of before"
}

func (m *Model) titles(v *tab, l layout) string {
	var cells []cell
	for i, c := range v.columns {
		title := c.title
		if i == v.sort {
			title += arrow(c.order, v.reverse)
		}
		cells = append(cells, cell{text: title})
	}
	text, _ := m.join(v.columns, cells, l, nil)
	return m.line(output.Bold, strings.Repeat(" ", indent)+text)
}

// arrow points down where the largest comes first.
func arrow(o order, reverse bool) string {
	if (o == mostFirst) != reverse {
		return "↓"
	}
	return "↑"
}

func (m *Model) row(columns []column, r *row, l layout, cursor bool) string {
	lead := " "
	if cursor {
		lead = ">"
	}
	lead += r.mark + strings.Repeat(" ", indent-1-len(r.mark))
	switch {
	case cursor:
		text, _ := m.join(columns, r.cells, l, nil)
		return m.selected(lead + text)
	case r.faded || m.outdated():
		text, _ := m.join(columns, r.cells, l, nil)
		return m.line(output.Dim, lead+text)
	}
	paint := func(c cell, text string) string {
		style := c.style
		if style == output.Plain && r.mark == markNew {
			style = output.Green
		}
		return m.term.Paint(style, text)
	}
	text, w := m.join(columns, r.cells, l, paint)
	if w+indent > m.limit() { // painted text cannot be cut
		plain, _ := m.join(columns, r.cells, l, nil)
		return m.line(output.Plain, lead+plain)
	}
	return m.term.Paint(output.Green, lead) + text
}

// selected paints the row of the cursor.
func (m *Model) selected(text string) string {
	text = cut(text, m.limit())
	if !m.term.Color {
		return strings.TrimRight(text, " ")
	}
	return "\x1b[7m" + text + strings.Repeat(" ", max(0, m.limit()-width(text))) + "\x1b[0m"
}

// join aligns cells in their columns, without blanks at the end, and says how wide the
// line is.
func (m *Model) join(columns []column, cells []cell, l layout, paint func(cell, string) string) (string, int) {
	var b strings.Builder
	total, owed := 0, 0
	for n, i := range l.shown {
		text := cut(cells[i].text, l.widths[i])
		if columns[i].tail {
			text = cutHead(cells[i].text, l.widths[i])
		}
		if n > 0 {
			owed += l.gap
		}
		space := l.widths[i] - width(text)
		if columns[i].right {
			owed, space = owed+space, 0
		}
		if text != "" {
			b.WriteString(strings.Repeat(" ", owed))
			total += owed + width(text)
			owed = 0
			if paint != nil {
				text = paint(cells[i], text)
			}
			b.WriteString(text)
		}
		owed += space
	}
	return b.String(), total
}
