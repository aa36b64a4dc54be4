package temporal

import (
	"math"
	"time"
)

// Duration is months, days and seconds, which do not add up to one another: a
// month has no fixed number of days, nor a day of seconds. The zero value is
// none.
type Duration struct {
	months, days, seconds int64
	nanos                 int32 // 0 to 999,999,999
}

// Seconds in a month and in a day on average, by which fractions are carried
// down and durations are ordered.
const (
	monthSeconds = 2_629_746
	daySeconds   = 86_400
)

// NewDuration makes a duration of whole parts. Nanoseconds may be any number.
func NewDuration(months, days, seconds, nanos int64) (Duration, error) {
	carry := nanos / second
	if nanos %= second; nanos < 0 {
		nanos += second
		carry--
	}
	total := seconds + carry
	if (carry > 0) != (total > seconds) && carry != 0 {
		return Duration{}, invalid("duration is too long")
	}
	return Duration{months, days, total, int32(nanos)}, nil
}

// FromGo is a duration of Go's.
func FromGo(d time.Duration) Duration {
	out, _ := NewDuration(0, 0, 0, int64(d)) // cannot be too long
	return out
}

// fraction makes a duration of parts that need not be whole: what is left of a
// month goes to its days, what is left of a day to its seconds.
func fraction(months, days, seconds, nanos float64) (Duration, error) {
	wholeMonths, rest := math.Modf(months)
	carried := rest * monthSeconds
	wholeDays, dayRest := math.Modf(days + math.Trunc(carried/daySeconds))
	seconds += math.Mod(carried, daySeconds) + dayRest*daySeconds
	wholeSeconds, left := math.Modf(seconds)
	for _, x := range []float64{wholeMonths, wholeDays, wholeSeconds, nanos} {
		if math.IsNaN(x) || math.Abs(x) > 1<<53 { // beyond it a fraction cannot be exact
			return Duration{}, invalid("duration is too long")
		}
	}
	return NewDuration(int64(wholeMonths), int64(wholeDays), int64(wholeSeconds), int64(math.Round(left*1e9))+int64(nanos))
}

// Plus adds two durations part by part.
func (d Duration) Plus(o Duration) (Duration, error) {
	if over(d.months, o.months) || over(d.days, o.days) || over(d.seconds, o.seconds) {
		return Duration{}, invalid("duration is too long")
	}
	return NewDuration(d.months+o.months, d.days+o.days, d.seconds+o.seconds, int64(d.nanos)+int64(o.nanos))
}

// over says whether a sum does not fit.
func over(a, b int64) bool {
	sum := a + b
	return (sum > a) != (b > 0) && b != 0
}

// Minus subtracts part by part.
func (d Duration) Minus(o Duration) (Duration, error) { return d.Plus(o.negative()) }

func (d Duration) negative() Duration {
	n, _ := NewDuration(-d.months, -d.days, -d.seconds, -int64(d.nanos)) // smaller than d was
	return n
}

// Times multiplies every part; fractions are carried down.
func (d Duration) Times(f float64) (Duration, error) {
	return fraction(float64(d.months)*f, float64(d.days)*f, float64(d.seconds)*f, float64(d.nanos)*f)
}

// average is its length if months and days were of average length, in seconds
// and nanoseconds.
func (d Duration) average() (float64, int32) {
	return float64(d.months)*monthSeconds + float64(d.days)*daySeconds + float64(d.seconds), d.nanos
}

// Order orders durations by their length on average, which the language uses to
// sort them and not to compare them.
func (d Duration) Order(o Duration) int {
	a, an := d.average()
	b, bn := o.average()
	switch {
	case a < b || a == b && an < bn:
		return -1
	case a > b || an > bn:
		return 1
	}
	return 0
}

// Add moves a temporal value by a duration; ok is false for other values.
func Add(v any, d Duration) (moved any, ok bool, err error) {
	switch v := v.(type) {
	case Date:
		t, err := move(v.t, Duration{months: d.months, days: d.days + (d.seconds / daySeconds)})
		return Date{t}, true, err
	case LocalDateTime:
		t, err := move(v.t, d)
		return LocalDateTime{t}, true, err
	case DateTime:
		t, err := move(v.t, d)
		return DateTime{t}, true, err
	case LocalTime:
		return LocalTime{around(v.nanos, d)}, true, nil
	case Time:
		return Time{around(v.nanos, d), v.offset}, true, nil
	}
	return nil, false, nil
}

// Subtract moves a temporal value back.
func Subtract(v any, d Duration) (moved any, ok bool, err error) { return Add(v, d.negative()) }

// around moves a time of day, which comes round at midnight.
func around(nanos int64, d Duration) int64 {
	moved := (nanos + d.seconds%daySeconds*second + int64(d.nanos)) % day
	if moved < 0 {
		moved += day
	}
	return moved
}

// move adds months first, which keeps the day if the month has it, then days,
// then the time.
func move(t time.Time, d Duration) (time.Time, error) {
	const far = 12 * 2_000_000_000 // beyond every year that there is
	if max(d.months, -d.months) > far || max(d.days, -d.days) > far*31 || max(d.seconds, -d.seconds) > far*31*daySeconds {
		return t, invalid("the result is too far away")
	}
	y, m, dd := t.Date()
	months := int64(y)*12 + int64(m) - 1 + d.months
	year, month := floor(months, 12)
	dd = min(dd, daysIn(int(year), time.Month(month+1)))
	t = time.Date(int(year), time.Month(month+1), dd, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), t.Location())
	t = t.AddDate(0, 0, int(d.days))
	t = time.Unix(t.Unix()+d.seconds, int64(t.Nanosecond())+int64(d.nanos)).In(t.Location())
	if t.Year() < minYear || t.Year() > maxYear {
		return t, invalid("the result is too far away")
	}
	return t, nil
}

func floor(n, by int64) (whole, rest int64) {
	whole, rest = n/by, n%by
	if rest < 0 {
		return whole - 1, rest + by
	}
	return whole, rest
}

func daysIn(year int, month time.Month) int {
	return time.Date(year, month+1, 0, 0, 0, 0, 0, time.UTC).Day()
}
