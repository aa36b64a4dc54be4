package watch

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"cassini/cmd/cassini/internal/output"
	"cassini/model"
)

// Lines around the table.
const (
	headLines = 4 // title, figures, views, columns
	footLines = 1 // keys
)

// lateAfter is how long an answer may take before the picture counts as old.
const lateAfter = 3 * time.Second

// Frame is the whole screen: as many lines as the terminal has, none longer than it is
// wide, without a newline at the end. Without a size it is a text with all rows.
func (m *Model) Frame() string {
	lines := m.top()
	switch {
	case m.help:
		lines = append(lines, helpLines(m.width)...)
	case m.details != "":
		lines = append(lines, m.detailLines()...)
	default:
		lines = append(lines, m.table()...)
	}
	if m.height == 0 {
		return strings.Join(lines, "\n")
	}
	lines = m.fit(lines, m.height-footLines-m.eventLines())
	lines = append(lines, m.foot()...)
	return strings.Join(m.fit(lines, m.height), "\n")
}

// fit makes exactly n lines of them.
func (m *Model) fit(lines []string, n int) []string {
	n = max(n, 0)
	for len(lines) < n {
		lines = append(lines, "")
	}
	return lines[:n]
}

// body is how many rows of a table fit.
func (m *Model) body() int {
	if m.height == 0 {
		return len(m.views[m.shown].rows)
	}
	return max(1, m.height-headLines-footLines-m.eventLines())
}

// eventLines is how many events are shown: one, and more on tall terminals.
func (m *Model) eventLines() int { return max(1, min((m.height-20)/4, maxEvents)) }

// limit is the width that text is cut to.
func (m *Model) limit() int {
	if m.width == 0 {
		return 1 << 16
	}
	return m.width
}

// line paints one piece of text that fills a line.
func (m *Model) line(s output.Style, text string) string {
	return m.term.Paint(s, strings.TrimRight(cut(text, m.limit()), " "))
}

// top are the lines above the table.
func (m *Model) top() []string {
	lines := []string{m.title(), m.figures(), m.tabs()}
	if m.height == 0 {
		return append(lines[:2], "")
	}
	return lines
}

// title says what is looked at, and how fresh it is.
func (m *Model) title() string {
	left := "cassini watch  " + output.Clean(m.cfg.Address)
	switch {
	case m.outdated():
		age := output.Duration(m.now.Sub(m.picture.At))
		return m.line(output.Red, fmt.Sprintf("OLD PICTURE, of %s ago: %s", age, cmp.Or(m.why, "still waiting for an answer")))
	case m.why != "":
		return m.line(output.Red, "NO ANSWER yet: "+m.why)
	case !m.began:
		return m.line(output.Bold, left+"  asking ...")
	case m.paused:
		return m.line(output.Yellow, left+"  PAUSED at "+m.clock(m.picture.At)+"; space goes on")
	}
	right := fmt.Sprintf("every %s  %s", m.cfg.Interval, m.clock(m.picture.At))
	total := m.total()
	if total.Known {
		left += fmt.Sprintf("  %s conn/s, %s fail/s", number(total.Connections), number(total.Failures))
	}
	if m.width == 0 {
		return m.line(output.Bold, left+"  "+right)
	}
	room := m.width - width(right) - 2
	left = cut(left, max(0, room))
	return m.line(output.Bold, left+strings.Repeat(" ", max(0, m.width-width(left)-width(right)))+right)
}

// outdated says whether the picture is older than it should be.
func (m *Model) outdated() bool {
	late := !m.paused && m.now.Sub(m.picture.At) > m.cfg.Interval+lateAfter
	return m.began && (m.why != "" || late)
}

func (m *Model) clock(t time.Time) string { return t.In(m.cfg.Zone).Format(time.TimeOnly) }

// total sums up the rates of all dependencies.
func (m *Model) total() Rates {
	var sum Rates
	for _, d := range m.dependencies {
		sum.Known = sum.Known || d.rates.Known
		sum.Connections += d.rates.Connections
		sum.Failures += d.rates.Failures
	}
	return sum
}

// figures are how many there are of what.
func (m *Model) figures() string {
	var hosts [3]int
	for _, h := range m.picture.Hosts {
		hosts[healthOf(h)]++
	}
	open, listening, there, active := 0, 0, 0, 0
	for _, i := range m.picture.Incidents {
		if i.State == model.IncidentOpen {
			open++
		}
	}
	for _, s := range m.services {
		if !s.missing && s.State == model.StateListening {
			listening++
		}
	}
	for _, d := range m.dependencies {
		if !d.gone.IsZero() {
			continue
		}
		there++
		if d.idle(m.picture.At) <= quietFor {
			active++
		}
	}
	text := fmt.Sprintf("hosts: %d up, %d ill", hosts[up], hosts[ill])
	if hosts[off] > 0 {
		text += fmt.Sprintf(", %d off", hosts[off])
	}
	text += fmt.Sprintf("  incidents: %d open  services: %s  dependencies: %s (%s active)", open, output.Count(listening), output.Count(there), output.Count(active))
	style := output.Plain
	if open+hosts[ill] > 0 {
		style = output.Red
	}
	return m.line(style, text)
}

// tabs name the views, and what of the one that is shown is left out.
func (m *Model) tabs() string {
	var parts []string
	for i, name := range viewNames {
		name = fmt.Sprintf("%d %s", i+1, name)
		if i == m.shown {
			name = "[" + name + "]"
		} else {
			name = " " + name + " "
		}
		parts = append(parts, name)
	}
	text := strings.Join(parts, " ")
	v := m.views[m.shown]
	if len(v.rows) < len(v.all) {
		text += fmt.Sprintf("  %s of %s", output.Count(len(v.rows)), output.Count(len(v.all)))
	}
	if m.filter != "" {
		text += "  /" + output.Clean(m.filter)
	}
	return m.line(output.Plain, text)
}

// foot are the lines below the table.
func (m *Model) foot() []string {
	n := m.eventLines()
	events := append([]string{}, m.events[max(0, len(m.events)-n):]...)
	if m.picture.Stale != "" && len(events) > 0 {
		events = events[1:]
	}
	if m.picture.Stale != "" {
		events = append(events, output.Clean(m.picture.Stale))
	}
	var lines []string
	for range n - len(events) {
		lines = append(lines, "")
	}
	for _, e := range events {
		lines = append(lines, m.line(output.Dim, e))
	}
	return append(lines, m.prompt())
}

// prompt is the last line: the filter that is typed, else the keys.
func (m *Model) prompt() string {
	switch {
	case m.typing:
		return m.term.Paint(output.Bold, cutHead("/"+output.Clean(m.filter)+"_", m.limit()))
	case m.help:
		return m.line(output.Dim, "any key goes back")
	case m.details != "":
		return m.line(output.Dim, "esc back  up/down scroll  space pause  q quit")
	}
	return m.line(output.Dim, "tab view  / filter  s sort  a all  enter details  space pause  ? help  q quit")
}

// helpLines explain the keys and the marks.
func helpLines(limit int) []string {
	var lines []string
	for line := range strings.SplitSeq(helpText, "\n") {
		lines = append(lines, cut(line, limit))
	}
	return lines
}

const helpText = `
tab 1 2 3   next view, a view        arrows j k g G PgUp PgDn  move
/text       filter, all columns      esc     no filter, back
s  S        sort by next, previous   r       reverse the order
enter       details of a row         space   pause, go on
a           also what is long over   q       quit

+  new in the last 10 s              -  ended in the last 10 s
Pale rows are over, or were quiet for 10 s; after 5 minutes (services that
ended: after 1) they are left out until you press a.
Rates are differences of the kernel's counters since the picture before. SENT
and RECV are the client's bytes per second; RTT is a mean over connections, as
they closed or now. "-": not known yet, or the counters began anew.`
