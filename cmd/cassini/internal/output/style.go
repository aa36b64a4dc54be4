package output

// Style is how a cell looks on a terminal with colours.
type Style uint8

// Styles.
const (
	Plain Style = iota
	Bold
	Dim
	Red
	Yellow
	Green
)

// paint wraps text in the terminal's codes for a style.
func (s Style) paint(text string) string {
	code := map[Style]string{Bold: "1", Dim: "2", Red: "31", Yellow: "33", Green: "32"}[s]
	if code == "" || text == "" {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}
