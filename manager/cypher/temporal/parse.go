package temporal

import (
	"regexp"
	"strconv"
	"strings"
	"time"
)

// The text forms of ISO 8601, with and without separators. Groups are empty where
// a part is left out.
var (
	dateForm = regexp.MustCompile(`^([+-]\d{4,9}|\d{4})(?:-?W(\d\d)(?:-?(\d))?|-Q(\d)-(\d\d)|-(\d\d)(?:-(\d\d))?|-?(\d{3})|(\d\d)(\d\d)?)?$`)
	timeForm = regexp.MustCompile(`^(\d\d)(?::?(\d\d)(?::?(\d\d)(?:[.,](\d{1,9}))?)?)?$`)
	zoneForm = regexp.MustCompile(`^(.*?)(Z|[+-]\d\d(?::?\d\d(?::?\d\d)?)?)?(?:\[([^\]]+)\])?$`)
	unitForm = regexp.MustCompile(`^([+-]?)P(?:([-+\d.]+)Y)?(?:([-+\d.]+)M)?(?:([-+\d.]+)W)?(?:([-+\d.]+)D)?(?:T(?:([-+\d.]+)H)?(?:([-+\d.]+)M)?(?:([-+\d.,]+)S)?)?$`)
	whenForm = regexp.MustCompile(`^P(\d{4})-?(\d\d)-?(\d\d)T(\d\d):?(\d\d):?(\d\d(?:\.\d{1,9})?)$`)
)

// ParseDate reads a calendar, week, quarter or ordinal date.
func ParseDate(s string) (Date, error) {
	m := dateForm.FindStringSubmatch(s)
	if m == nil {
		return Date{}, invalid("%q is no date", s)
	}
	c := components{}
	c.text("year", m[1])
	c.text("week", m[2])
	c.text("dayOfWeek", m[3])
	c.text("quarter", m[4])
	c.text("dayOfQuarter", m[5])
	c.text("month", m[6]+m[9])
	c.text("day", m[7]+m[10])
	c.text("ordinalDay", m[8])
	t, err := c.date(time.Time{}, false)
	return Date{t}, err
}

// ParseLocalTime reads a time of day.
func ParseLocalTime(s string) (LocalTime, error) {
	m := timeForm.FindStringSubmatch(s)
	if m == nil {
		return LocalTime{}, invalid("%q is no time", s)
	}
	c := components{}
	for i, name := range []string{"hour", "minute", "second"} {
		c.text(name, m[i+1])
	}
	if m[4] != "" {
		c.text("nanosecond", m[4]+strings.Repeat("0", 9-len(m[4])))
	}
	n, err := c.time(0, false)
	return LocalTime{n}, err
}

// ParseTime reads a time of day with an offset; without one it is UTC.
func ParseTime(s string) (Time, error) {
	rest, zone, err := splitZone(s)
	if err != nil {
		return Time{}, err
	}
	local, err := ParseLocalTime(rest)
	return Time{local.nanos, offsetOf(zone)}, err
}

// ParseLocalDateTime reads a date and a time of day.
func ParseLocalDateTime(s string) (LocalDateTime, error) {
	date, clock, _ := strings.Cut(s, "T")
	d, err := ParseDate(date)
	if err != nil || clock == "" {
		return LocalDateTime(d), err
	}
	t, err := ParseLocalTime(clock)
	return LocalDateTime{t.on(d.t, time.UTC)}, err
}

// ParseDateTime reads a moment; without a zone it is UTC.
func ParseDateTime(s string) (DateTime, error) {
	date, clock, timed := strings.Cut(s, "T")
	if !timed {
		d, err := ParseDate(date)
		return DateTime(d), err
	}
	clock, zone, err := splitZone(clock)
	if err != nil {
		return DateTime{}, err
	}
	local, err := ParseLocalDateTime(date + "T" + clock)
	return DateTime{wall(local.t, zone)}, err
}

// splitZone takes the zone off the end of a text. A name in brackets wins over an
// offset; without either it is UTC.
func splitZone(s string) (rest string, zone *time.Location, err error) {
	m := zoneForm.FindStringSubmatch(s)
	if m == nil {
		return "", nil, invalid("%q is no time", s)
	}
	zone = time.UTC
	if m[2] != "" {
		if zone, err = ParseZone(m[2]); err != nil {
			return "", nil, err
		}
	}
	if m[3] != "" {
		zone, err = ParseZone(m[3])
	}
	return m[1], zone, err
}

// ParseZone reads Z, an offset or the name of a zone.
func ParseZone(s string) (*time.Location, error) {
	if s == "Z" || s == "z" {
		return time.UTC, nil
	}
	if s != "" && (s[0] == '+' || s[0] == '-') {
		digits := strings.ReplaceAll(s[1:], ":", "")
		n, err := strconv.Atoi((digits + "0000")[:max(6, len(digits))])
		if err != nil || len(digits)%2 != 0 || len(digits) > 6 || n/10000 > 18 || n/100%100 > 59 || n%100 > 59 {
			return nil, invalid("%q is no offset", s)
		}
		offset := n/10000*3600 + n/100%100*60 + n%100
		if s[0] == '-' {
			offset = -offset
		}
		return fixed(offset), nil
	}
	zone, err := time.LoadLocation(s)
	if err != nil || s == "" || s == "Local" {
		return nil, invalid("%q is no time zone that is known here", s)
	}
	return zone, nil
}

// offsetOf is the offset of a zone for a time of day that stands on no date.
func offsetOf(zone *time.Location) int {
	_, offset := time.Date(2000, 1, 1, 0, 0, 0, 0, zone).Zone()
	return offset
}

// ParseDuration reads P1Y2M3W4DT5H6M7.8S, each part of which may have a sign and
// a fraction, or the form of a date: P2012-02-02T14:37:21.545.
func ParseDuration(s string) (Duration, error) {
	if m := whenForm.FindStringSubmatch(s); m != nil {
		n := numbers(m[1:])
		return fraction(n[0]*12+n[1], n[2], n[3]*3600+n[4]*60+n[5], 0)
	}
	m := unitForm.FindStringSubmatch(s)
	if m == nil || strings.HasSuffix(s, "T") || strings.HasSuffix(s, "P") {
		return Duration{}, invalid("%q is no duration", s)
	}
	for _, part := range m[2:] {
		if part == "" {
			continue
		}
		if _, err := strconv.ParseFloat(strings.Replace(part, ",", ".", 1), 64); err != nil {
			return Duration{}, invalid("%q is no duration", s)
		}
	}
	n := numbers(m[2:])
	months, err := fraction(n[0]*12, 0, 0, 0)
	if err != nil {
		return Duration{}, err
	}
	rest, err := fraction(n[1], n[2]*7+n[3], n[4]*3600+n[5]*60+n[6], 0)
	if err != nil {
		return Duration{}, err
	}
	d, err := months.Plus(rest)
	if m[1] == "-" {
		d = d.negative()
	}
	return d, err
}

// numbers reads what a regular expression found; what is empty is zero.
func numbers(texts []string) []float64 {
	list := make([]float64, len(texts))
	for i, t := range texts {
		list[i], _ = strconv.ParseFloat(strings.Replace(t, ",", ".", 1), 64)
	}
	return list
}
