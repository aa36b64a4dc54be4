package output

import (
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// Terminal says what the reader of the output can show. The zero Terminal is a
// file or a pipe: no colour, no bound on the width.
type Terminal struct {
	Width int // columns; 0 for no bound
	Color bool
}

// Detect looks at where output goes. NO_COLOR (https://no-color.org) and
// TERM=dumb turn colours off.
func Detect(w io.Writer, getenv func(string) string) Terminal {
	f, ok := w.(*os.File)
	if !ok {
		return Terminal{}
	}
	size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return Terminal{}
	}
	return Terminal{Width: int(size.Col), Color: getenv("NO_COLOR") == "" && getenv("TERM") != "dumb"}
}

// IsTerminal says whether output goes to one.
func IsTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	_, err := unix.IoctlGetTermios(int(f.Fd()), unix.TCGETS)
	return err == nil
}

// Paint styles one piece of text that stands outside a table. The text is not
// cleaned.
func (t Terminal) Paint(s Style, text string) string {
	if !t.Color {
		return text
	}
	return s.paint(text)
}
