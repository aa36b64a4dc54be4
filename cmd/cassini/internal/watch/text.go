package watch

import (
	"fmt"
	"strings"

	"github.com/rivo/uniseg"
)

const ellipsis = "…"

// width is how many columns of a terminal clean text takes.
func width(text string) int {
	for i := range len(text) {
		if text[i] < ' ' || text[i] > '~' {
			return uniseg.StringWidth(text)
		}
	}
	return len(text)
}

// cut shortens text to a width, at its end.
func cut(text string, limit int) string {
	if width(text) <= limit {
		return text
	}
	return head(text, limit-1) + mark(limit)
}

// cutHead shortens text to a width, at its beginning: the end of a path tells most.
func cutHead(text string, limit int) string {
	if width(text) <= limit {
		return text
	}
	var parts []string
	for g := uniseg.NewGraphemes(text); g.Next(); {
		parts = append(parts, g.Str())
	}
	left, from := limit-1, len(parts)
	for from > 0 && left >= uniseg.StringWidth(parts[from-1]) {
		from--
		left -= uniseg.StringWidth(parts[from])
	}
	return mark(limit) + strings.Join(parts[from:], "")
}

func mark(limit int) string {
	if limit < 1 {
		return ""
	}
	return ellipsis
}

// head is as much of the beginning of text as fits.
func head(text string, limit int) string {
	var b strings.Builder
	for g := uniseg.NewGraphemes(text); g.Next(); {
		if limit -= g.Width(); limit < 0 {
			break
		}
		b.WriteString(g.Str())
	}
	return b.String()
}

// wrap breaks text into lines of a width, between any two characters.
func wrap(text string, limit int) []string {
	var lines []string
	from, left := 0, limit
	for g := uniseg.NewGraphemes(text); g.Next(); {
		if left -= g.Width(); left < 0 && limit > 1 {
			at, _ := g.Positions()
			lines = append(lines, text[from:at])
			from, left = at, limit-g.Width()
		}
	}
	return append(lines, text[from:])
}

// bound shortens text that is longer than any table can show.
func bound(text string, bytes int) string {
	if len(text) <= bytes {
		return text
	}
	return strings.ToValidUTF8(text[:bytes], "") + ellipsis
}

// number is a rate in at most five columns.
func number(f float64) string {
	switch {
	case f == 0:
		return "0"
	case f < 0.1:
		return "<0.1"
	case f < 9.95:
		return fmt.Sprintf("%.1f", f)
	case f < 9999.5:
		return fmt.Sprintf("%.0f", f)
	}
	return scaled(f, 1000, "kMGTPE")
}

// size is a number of bytes in at most five columns.
func size(f float64) string {
	if f < 1023.5 {
		return fmt.Sprintf("%.0f", f)
	}
	return scaled(f, 1024, "KMGTPE")
}

func scaled(f, base float64, units string) string {
	unit := 0
	for f /= base; f >= base-0.5 && unit < len(units)-1; f /= base {
		unit++
	}
	if f < 9.95 {
		return fmt.Sprintf("%.1f%c", f, units[unit])
	}
	return fmt.Sprintf("%.0f%c", f, units[unit])
}

func rate(known bool, f float64, format func(float64) string) string {
	if !known {
		return "-"
	}
	return format(f)
}
