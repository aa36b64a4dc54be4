package temporal

import (
	"math"
	"slices"
	"time"
)

// Fields are the named parts of a map that a value is built from: whole numbers,
// fractions (of durations), texts (timezone) and other temporal values.
type Fields map[string]any

// Names of the fields of a date, of a time and of a zone.
var (
	dateNames = []string{"year", "month", "day", "week", "dayOfWeek", "quarter", "dayOfQuarter", "ordinalDay"}
	timeNames = []string{"hour", "minute", "second", "millisecond", "microsecond", "nanosecond"}
)

// source is what a map says beside its numbers: values to begin with.
type source struct {
	numbers components
	date    time.Time
	dated   bool
	nanos   int64
	timed   bool
	zone    *time.Location // of the value to begin with
	zoned   bool
	want    *time.Location // that the map asks for
}

// read sorts the fields of a map. A name that is not among those allowed is
// refused.
func (f Fields) read(allowed ...string) (source, error) {
	s := source{numbers: components{}, zone: time.UTC}
	for name, v := range f {
		if !slices.Contains(allowed, name) {
			return s, invalid("no such component: %s", name)
		}
		switch v := v.(type) {
		case int64:
			s.numbers[name] = v
		case string:
			if name != "timezone" {
				return s, invalid("%s is a text", name)
			}
			zone, err := ParseZone(v)
			if err != nil {
				return s, err
			}
			s.want = zone
		case *time.Location: // of a value that was truncated
			s.want = v
		default:
			if !s.begin(name, v) {
				return s, invalid("%s cannot be used here", name)
			}
		}
	}
	return s, nil
}

// begin takes what a temporal value has of a date, a time and a zone.
func (s *source) begin(name string, v any) bool {
	date, dated, nanos, timed, zone := parts(v)
	if !dated && !timed {
		return false
	}
	if dated && name != "time" {
		s.date, s.dated = date, true
	}
	if timed && name != "date" {
		s.nanos, s.timed = nanos, true
		if zone != nil {
			s.zone, s.zoned = zone, true
		}
	}
	return name == "datetime" && dated && timed || name == "date" && dated || name == "time" && timed
}

// parts takes a temporal value apart.
func parts(v any) (date time.Time, dated bool, nanos int64, timed bool, zone *time.Location) {
	switch v := v.(type) {
	case Date:
		return v.t, true, 0, false, nil
	case LocalTime:
		return time.Time{}, false, v.nanos, true, nil
	case Time:
		return time.Time{}, false, v.nanos, true, fixed(v.offset)
	case LocalDateTime:
		return midnight(v.t), true, sinceMidnight(v.t), true, nil
	case DateTime:
		return midnight(v.t), true, sinceMidnight(v.t), true, v.t.Location()
	}
	return time.Time{}, false, 0, false, nil
}

// BuildDate makes a date of components or of another value that has one.
func BuildDate(f Fields) (Date, error) {
	s, err := f.read(append([]string{"date", "datetime"}, dateNames...)...)
	if err != nil {
		return Date{}, err
	}
	t, err := s.numbers.date(s.date, s.dated)
	return Date{t}, err
}

// BuildLocalTime makes a time of day.
func BuildLocalTime(f Fields) (LocalTime, error) {
	s, err := f.read(append([]string{"time", "datetime"}, timeNames...)...)
	if err != nil {
		return LocalTime{}, err
	}
	n, err := s.clock()
	return LocalTime{n}, err
}

// clock is the time of day that was asked for; a coarser part cannot be left out
// before a finer one.
func (s *source) clock() (int64, error) {
	if !s.timed && s.numbers.has(timeNames...) {
		if err := s.numbers.complete(timeNames[:3]); err != nil {
			return 0, err
		}
	}
	return s.numbers.time(s.nanos, s.timed)
}

// BuildTime makes a time of day with an offset.
func BuildTime(f Fields) (Time, error) {
	s, err := f.read(append([]string{"time", "datetime", "timezone"}, timeNames...)...)
	if err != nil {
		return Time{}, err
	}
	n, err := s.clock()
	t := Time{n, offsetOf(s.zone)}
	if s.want == nil {
		return t, err
	}
	offset := offsetOf(s.want)
	if s.zoned && !s.numbers.has(timeNames...) { // the same moment, seen elsewhere
		shifted := Duration{seconds: int64(offset - t.offset)}
		return Time{around(t.nanos, shifted), offset}, err
	}
	return Time{n, offset}, err
}

// BuildLocalDateTime makes a date with a time of day.
func BuildLocalDateTime(f Fields) (LocalDateTime, error) {
	s, err := f.read(slices.Concat([]string{"date", "time", "datetime"}, dateNames, timeNames)...)
	if err != nil {
		return LocalDateTime{}, err
	}
	t, err := s.moment(time.UTC)
	return LocalDateTime{t}, err
}

func (s *source) moment(zone *time.Location) (time.Time, error) {
	date, err := s.numbers.date(s.date, s.dated)
	if err != nil {
		return date, err
	}
	n, err := s.clock()
	return LocalTime{n}.on(date, zone), err
}

// BuildDateTime makes a moment of components, of another value, or of the seconds
// or milliseconds since 1970.
func BuildDateTime(f Fields) (DateTime, error) {
	s, err := f.read(slices.Concat([]string{"date", "time", "datetime", "timezone", "epochSeconds", "epochMillis"}, dateNames, timeNames)...)
	if err != nil {
		return DateTime{}, err
	}
	if s.numbers.has("epochSeconds", "epochMillis") {
		return s.epoch()
	}
	t, err := s.moment(s.zone)
	if s.want == nil {
		return DateTime{t}, err
	}
	if s.zoned { // the same moment, seen elsewhere
		return DateTime{t.In(s.want)}, err
	}
	return DateTime{wall(t, s.want)}, err
}

func (s *source) epoch() (DateTime, error) {
	seconds, millis := s.numbers["epochSeconds"], s.numbers["epochMillis"]
	if max(seconds, -seconds) > math.MaxInt64/2000 {
		return DateTime{}, invalid("the moment is too far away")
	}
	sub, err := s.numbers.subsecond(0)
	zone := time.UTC
	if s.want != nil {
		zone = s.want
	}
	t := time.UnixMilli(millis).Add(time.Duration(sub))
	return DateTime{time.Unix(t.Unix()+seconds, int64(t.Nanosecond())).In(zone)}, err
}

// BuildDuration makes a duration of parts, which may be fractions.
func BuildDuration(f Fields) (Duration, error) {
	n := make(map[string]float64)
	var exact int64 // nanoseconds, which a fraction cannot hold
	for name, v := range f {
		if !slices.Contains([]string{"years", "quarters", "months", "weeks", "days", "hours", "minutes", "seconds", "milliseconds", "microseconds", "nanoseconds"}, name) {
			return Duration{}, invalid("no such component of a duration: %s", name)
		}
		switch v := v.(type) {
		case int64:
			n[name] = float64(v)
			if name == "nanoseconds" {
				exact, n[name] = v, 0
			}
		case float64:
			n[name] = v
		default:
			return Duration{}, invalid("%s is no number", name)
		}
	}
	d, err := fraction(n["years"]*12+n["quarters"]*3+n["months"], n["weeks"]*7+n["days"],
		n["hours"]*3600+n["minutes"]*60+n["seconds"], n["milliseconds"]*1e6+n["microseconds"]*1e3+n["nanoseconds"])
	if err != nil || exact == 0 {
		return d, err
	}
	rest, err := NewDuration(0, 0, 0, exact)
	if err != nil {
		return d, err
	}
	return d.Plus(rest)
}
