package temporal

import (
	"fmt"
	"strings"
	"time"
)

// String is the ISO 8601 form.
func (d Date) String() string { return formatDate(d.t) }

// String is the ISO 8601 form.
func (t LocalTime) String() string { return formatNanos(t.nanos) }

// String is the ISO 8601 form with the offset.
func (t Time) String() string { return formatNanos(t.nanos) + formatOffset(t.offset) }

// String is the ISO 8601 form.
func (d LocalDateTime) String() string {
	return formatDate(d.t) + "T" + formatNanos(sinceMidnight(d.t))
}

// String is the ISO 8601 form with the offset and, in brackets, the name of the
// zone if it has one.
func (d DateTime) String() string {
	_, offset := d.t.Zone()
	s := formatDate(d.t) + "T" + formatNanos(sinceMidnight(d.t)) + formatOffset(offset)
	if name := zoneName(d.t.Location()); name != "" {
		s += "[" + name + "]"
	}
	return s
}

// zoneName is the name of a zone that has rules, "" for an offset.
func zoneName(zone *time.Location) string {
	if zone == time.UTC || zone == time.Local {
		return ""
	}
	return zone.String()
}

func formatDate(t time.Time) string {
	y, m, d := t.Date()
	if y < 0 || y > 9999 {
		return fmt.Sprintf("%+05d-%02d-%02d", y, m, d)
	}
	return fmt.Sprintf("%04d-%02d-%02d", y, m, d)
}

// formatNanos leaves out seconds that are zero and ends fractions without zeros.
func formatNanos(n int64) string {
	s := fmt.Sprintf("%02d:%02d", n/int64(time.Hour), n/int64(time.Minute)%60)
	seconds, rest := n/second%60, n%second
	if seconds == 0 && rest == 0 {
		return s
	}
	s += fmt.Sprintf(":%02d", seconds)
	if rest != 0 {
		s += "." + strings.TrimRight(fmt.Sprintf("%09d", rest), "0")
	}
	return s
}

func formatOffset(offset int) string {
	if offset == 0 {
		return "Z"
	}
	mark := '+'
	if offset < 0 {
		mark, offset = '-', -offset
	}
	s := fmt.Sprintf("%c%02d:%02d", mark, offset/3600, offset/60%60)
	if offset%60 != 0 {
		s += fmt.Sprintf(":%02d", offset%60)
	}
	return s
}

// String is the ISO 8601 form, with years and hours carried out of months and
// seconds and nothing else: P1Y2M3DT4H5M6.7S.
func (d Duration) String() string {
	var b strings.Builder
	b.WriteByte('P')
	part := func(n int64, unit byte) {
		if n != 0 {
			fmt.Fprintf(&b, "%d%c", n, unit)
		}
	}
	part(d.months/12, 'Y')
	part(d.months%12, 'M')
	part(d.days, 'D')
	seconds, nanos := d.seconds, int64(d.nanos)
	if seconds < 0 && nanos > 0 { // one sign for the time as a whole
		seconds, nanos = seconds+1, nanos-second
	}
	if seconds != 0 || nanos != 0 {
		b.WriteByte('T')
		part(seconds/3600, 'H')
		part(seconds/60%60, 'M')
		if rest := seconds % 60; rest != 0 || nanos != 0 {
			b.WriteString(formatSeconds(rest, nanos))
		}
	}
	if b.Len() == 1 {
		return "PT0S"
	}
	return b.String()
}

func formatSeconds(seconds, nanos int64) string {
	mark := ""
	if seconds < 0 || nanos < 0 {
		mark, seconds, nanos = "-", -seconds, -nanos
	}
	s := fmt.Sprintf("%s%d", mark, seconds)
	if nanos != 0 {
		s += "." + strings.TrimRight(fmt.Sprintf("%09d", nanos), "0")
	}
	return s + "S"
}
