package watch

import (
	"strings"
	"unicode/utf8"
)

// Action is what a key asks of whoever holds the Model.
type Action uint8

// Actions.
const (
	Nothing Action = iota
	Quit
	Suspend // give the terminal back until somebody brings the program back
	Ask     // a new picture, at once
)

// maxFilter bounds the text of a filter, in bytes.
const maxFilter = 200

// Key takes a key by its name ("a", "enter", "ctrl+c") and the text that it types, if
// it does.
func (m *Model) Key(name, text string) Action {
	switch {
	case name == "ctrl+c":
		return Quit
	case name == "ctrl+z":
		return Suspend
	case m.typing:
		m.typeFilter(name, text)
		return Nothing
	case m.help:
		m.help = false
		if name == "q" {
			return Quit
		}
		return Nothing
	case m.details != "":
		return m.detailsKey(name)
	}
	return m.tableKey(name)
}

// Paste takes text that was pasted; only a filter wants any.
func (m *Model) Paste(text string) {
	if m.typing {
		m.typeFilter("", text)
	}
}

func (m *Model) typeFilter(name, text string) {
	switch name {
	case "enter":
		m.typing = false
	case "esc":
		m.typing, m.filter = false, ""
	case "backspace":
		_, n := utf8.DecodeLastRuneInString(m.filter)
		m.filter = m.filter[:len(m.filter)-n]
	case "ctrl+u":
		m.filter = ""
	default:
		text = strings.Map(printable, text)
		if len(m.filter)+len(text) <= maxFilter {
			m.filter += text
		}
	}
	m.arrange()
}

func printable(r rune) rune {
	if r < ' ' || r == 0x7f || r == utf8.RuneError {
		return -1
	}
	return r
}

func (m *Model) detailsKey(name string) Action {
	switch name {
	case "q":
		return Quit
	case "esc", "enter", "left", "h", "backspace":
		m.details, m.scroll = "", 0
	case "down", "j":
		m.scroll++
	case "up", "k":
		m.scroll = max(0, m.scroll-1)
	case "tab", "shift+tab", "1", "2", "3":
		m.details, m.scroll = "", 0
		m.moveKey(name)
	case "?":
		m.help = true
	case "space":
		return m.pause()
	}
	return Nothing
}

func (m *Model) tableKey(name string) Action {
	if m.moveKey(name) {
		return Nothing
	}
	v := m.views[m.shown]
	switch name {
	case "q":
		return Quit
	case "?":
		m.help = true
	case "/":
		m.typing = true
	case "esc":
		m.filter = ""
		m.arrange()
	case "s", "S":
		m.sortBy(v, name == "s")
	case "r":
		v.reverse = !v.reverse
		m.arrange()
	case "a":
		m.old = !m.old
		m.arrange()
	case "space":
		return m.pause()
	case "enter":
		if v.cursor < len(v.rows) {
			m.details = v.rows[v.cursor].id
			return Ask
		}
	}
	return Nothing
}

// sortBy sorts by the next column, or by the one before.
func (m *Model) sortBy(v *tab, next bool) {
	by := len(v.columns) - 1
	if next {
		by = 1
	}
	v.sort, v.reverse = (v.sort+by)%len(v.columns), false
	m.arrange()
}

// moveKey takes keys that move the cursor or change the view.
func (m *Model) moveKey(name string) bool {
	v, page := m.views[m.shown], max(1, m.body()-1)
	switch name {
	case "tab", "right", "l":
		m.shown = (m.shown + 1) % len(m.views)
	case "shift+tab", "left", "h":
		m.shown = (m.shown + len(m.views) - 1) % len(m.views)
	case "1", "2", "3":
		m.shown = int(name[0] - '1')
	case "down", "j":
		v.move(1)
	case "up", "k":
		v.move(-1)
	case "pgdown", "ctrl+f", "ctrl+d":
		v.move(page)
	case "pgup", "ctrl+b", "ctrl+u":
		v.move(-page)
	case "home", "g":
		v.move(-len(v.rows))
	case "end", "G":
		v.move(len(v.rows))
	default:
		return false
	}
	return true
}

// pause stops the picture, or lets it go on.
func (m *Model) pause() Action {
	m.paused = !m.paused
	if m.paused {
		return Nothing
	}
	return Ask
}
