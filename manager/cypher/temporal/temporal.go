// Package temporal has openCypher's temporal values: dates, times with and
// without a zone, and durations. Calendar arithmetic is Go's time package; what
// is here is the language's view of it: how values are written, built from
// components, taken apart, added to and compared. All values are immutable.
package temporal

import (
	"errors"
	"fmt"
	"time"
)

// ErrInvalid is wrapped by every error that says that a text or a component is no
// temporal value.
var ErrInvalid = errors.New("invalid temporal value")

func invalid(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...))
}

// Date is a day of the calendar.
type Date struct{ t time.Time } // midnight, UTC

// LocalTime is a time of day.
type LocalTime struct{ nanos int64 } // since midnight

// Time is a time of day at an offset from UTC.
type Time struct {
	nanos  int64 // since midnight, at that offset
	offset int   // seconds east of UTC
}

// LocalDateTime is a date with a time of day.
type LocalDateTime struct{ t time.Time } // UTC stands for no zone

// DateTime is a moment, with the zone that it was told in.
type DateTime struct{ t time.Time }

const (
	second = int64(time.Second)
	day    = 24 * int64(time.Hour)
)

// Years that a value can have: what openCypher's text form can write.
const (
	minYear = -999_999_999
	maxYear = 999_999_999
)

// FromTime is a moment of Go's.
func FromTime(t time.Time) DateTime { return DateTime{t.Round(0)} }

// Time is the moment for Go.
func (d DateTime) Time() time.Time { return d.t }

// Date is the day of the moment, in its zone.
func (d DateTime) Date() Date { return Date{midnight(d.t)} }

// LocalTime is the time of day of the moment.
func (d DateTime) LocalTime() LocalTime { return LocalTime{sinceMidnight(d.t)} }

// TimeOfDay is the time of day of the moment with its offset.
func (d DateTime) TimeOfDay() Time {
	_, offset := d.t.Zone()
	return Time{sinceMidnight(d.t), offset}
}

// Local is the date and time of the moment without its zone.
func (d DateTime) Local() LocalDateTime { return LocalDateTime{wall(d.t, time.UTC)} }

// Date is the day of it.
func (d LocalDateTime) Date() Date { return Date{midnight(d.t)} }

// LocalTime is the time of day of it.
func (d LocalDateTime) LocalTime() LocalTime { return LocalTime{sinceMidnight(d.t)} }

func midnight(t time.Time) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

func sinceMidnight(t time.Time) int64 {
	return int64(t.Hour())*int64(time.Hour) + int64(t.Minute())*int64(time.Minute) + int64(t.Second())*second + int64(t.Nanosecond())
}

// wall is the same date and time of day in another zone: another moment.
func wall(t time.Time, zone *time.Location) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), zone)
}

func (t LocalTime) on(date time.Time, zone *time.Location) time.Time {
	y, m, d := date.Date()
	n := t.nanos
	return time.Date(y, m, d, int(n/int64(time.Hour)), int(n/int64(time.Minute)%60), int(n/second%60), int(n%second), zone)
}

// fixed is a zone that is nothing but an offset.
func fixed(offset int) *time.Location {
	if offset == 0 {
		return time.UTC
	}
	return time.FixedZone("", offset)
}

// Compare orders two values of one type; ok is false for other values.
func Compare(a, b any) (order int, ok bool) {
	switch a := a.(type) {
	case Date:
		if b, ok := b.(Date); ok {
			return a.t.Compare(b.t), true
		}
	case LocalTime:
		if b, ok := b.(LocalTime); ok {
			return sign(a.nanos, b.nanos), true
		}
	case Time:
		if b, ok := b.(Time); ok {
			if c := sign(a.utc(), b.utc()); c != 0 {
				return c, true
			}
			return sign(int64(b.offset), int64(a.offset)), true
		}
	case LocalDateTime:
		if b, ok := b.(LocalDateTime); ok {
			return a.t.Compare(b.t), true
		}
	case DateTime:
		if b, ok := b.(DateTime); ok {
			return a.t.Compare(b.t), true
		}
	}
	return 0, false
}

func (t Time) utc() int64 { return t.nanos - int64(t.offset)*second }

func sign(a, b int64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// Is says whether a value is one of this package's.
func Is(v any) bool {
	switch v.(type) {
	case Date, LocalTime, Time, LocalDateTime, DateTime, Duration:
		return true
	}
	return false
}
