package temporal

import (
	"strconv"
	"time"
)

// components are what a value is built from, by name; values are whole numbers.
type components map[string]int64

func (c components) text(name, digits string) {
	if digits != "" {
		n, _ := strconv.ParseInt(digits, 10, 64) // digits, as the pattern saw to
		c[name] = n
	}
}

func (c components) has(names ...string) bool {
	for _, n := range names {
		if _, ok := c[n]; ok {
			return true
		}
	}
	return false
}

// within takes a component that must lie in a range.
func (c components) within(name string, low, high, missing int64) (int64, error) {
	n, ok := c[name]
	if !ok {
		return missing, nil
	}
	if n < low || n > high {
		return 0, invalid("%s is %d, want %d to %d", name, n, low, high)
	}
	return n, nil
}

// date builds a day. What is missing comes from base where there is one; else
// year is required and everything else is its first.
func (c components) date(base time.Time, based bool) (time.Time, error) {
	if !based {
		base = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC)
		if err := c.complete([]string{"year", "month", "day"}, []string{"year", "week", "dayOfWeek"}, []string{"year", "quarter", "dayOfQuarter"}, []string{"year", "ordinalDay"}); err != nil {
			return base, err
		}
	}
	year, err := c.within("year", minYear, maxYear, int64(base.Year()))
	if err != nil {
		return base, err
	}
	switch {
	case c.has("week"):
		return c.weekDate(year, base, based)
	case c.has("quarter", "dayOfQuarter"):
		return c.quarterDate(year, base, based)
	case c.has("ordinalDay"):
		return c.ordinalDate(year)
	case c.has("dayOfWeek"):
		return c.weekDate(year, base, based)
	}
	return c.calendarDate(year, base)
}

// complete refuses a part without the larger one that it is a part of: only the
// smallest ones may be left out. The first part of each way must be there.
func (c components) complete(ways ...[]string) error {
	for _, way := range ways {
		for i, name := range way {
			if !c.has(name) && (i == 0 || c.has(way[i+1:]...)) {
				return invalid("%s is missing", name)
			}
		}
	}
	return nil
}

func (c components) calendarDate(year int64, base time.Time) (time.Time, error) {
	month, err := c.within("month", 1, 12, int64(base.Month()))
	if err != nil {
		return base, err
	}
	last := int64(daysIn(int(year), time.Month(month)))
	missing := min(int64(base.Day()), last)
	dd, err := c.within("day", 1, last, missing)
	return time.Date(int(year), time.Month(month), int(dd), 0, 0, 0, 0, time.UTC), err
}

func (c components) weekDate(year int64, base time.Time, based bool) (time.Time, error) {
	baseWeek, baseDay := int64(1), int64(1)
	if based {
		baseYear, w := base.ISOWeek()
		baseWeek, baseDay = int64(w), isoWeekday(base)
		if !c.has("year") {
			year = int64(baseYear)
		}
	}
	start := firstWeek(int(year))
	weeks := int64(firstWeek(int(year)+1).Sub(start) / (7 * 24 * time.Hour))
	week, err := c.within("week", 1, weeks, baseWeek)
	if err != nil {
		return base, err
	}
	weekday, err := c.within("dayOfWeek", 1, 7, baseDay)
	return start.AddDate(0, 0, int((week-1)*7+weekday-1)), err
}

// firstWeek is the Monday of the week that has the year's first Thursday.
func firstWeek(year int) time.Time {
	t := time.Date(year, 1, 4, 0, 0, 0, 0, time.UTC)
	return t.AddDate(0, 0, int(1-isoWeekday(t)))
}

func isoWeekday(t time.Time) int64 { return (int64(t.Weekday())+6)%7 + 1 }

func (c components) quarterDate(year int64, base time.Time, based bool) (time.Time, error) {
	baseQuarter, baseDay := int64(1), int64(1)
	if based {
		baseQuarter, baseDay = quarter(base), dayOfQuarter(base)
	}
	q, err := c.within("quarter", 1, 4, baseQuarter)
	if err != nil {
		return base, err
	}
	start := time.Date(int(year), time.Month(q*3-2), 1, 0, 0, 0, 0, time.UTC)
	last := int64(start.AddDate(0, 3, 0).Sub(start) / (24 * time.Hour))
	dd, err := c.within("dayOfQuarter", 1, last, min(baseDay, last))
	return start.AddDate(0, 0, int(dd-1)), err
}

func quarter(t time.Time) int64 { return (int64(t.Month())-1)/3 + 1 }

func dayOfQuarter(t time.Time) int64 {
	start := time.Date(t.Year(), time.Month(quarter(t)*3-2), 1, 0, 0, 0, 0, time.UTC)
	return int64(midnight(t).Sub(start)/(24*time.Hour)) + 1
}

func (c components) ordinalDate(year int64) (time.Time, error) {
	start := time.Date(int(year), 1, 1, 0, 0, 0, 0, time.UTC)
	n, err := c.within("ordinalDay", 1, int64(start.AddDate(1, 0, 0).Sub(start)/(24*time.Hour)), 1)
	return start.AddDate(0, 0, int(n-1)), err
}

// time builds a time of day, in nanoseconds since midnight. What is missing comes
// from base, where there is one and nothing coarser was given.
func (c components) time(base int64, based bool) (int64, error) {
	if !based {
		base = 0
	}
	var total int64
	for _, part := range []struct {
		name       string
		high, unit int64
	}{{"hour", 23, int64(time.Hour)}, {"minute", 59, int64(time.Minute)}, {"second", 59, second}} {
		n, err := c.within(part.name, 0, part.high, base/part.unit%(part.high+1))
		if err != nil {
			return 0, err
		}
		total += n * part.unit
	}
	sub, err := c.subsecond(base % second)
	return total + sub, err
}

// subsecond adds up milliseconds, microseconds and nanoseconds, each of which is
// bounded by the one before it.
func (c components) subsecond(missing int64) (int64, error) {
	if !c.has("millisecond", "microsecond", "nanosecond") {
		return missing, nil
	}
	var total int64
	high := second
	for _, part := range []struct {
		name string
		unit int64
	}{{"millisecond", 1_000_000}, {"microsecond", 1000}, {"nanosecond", 1}} {
		if !c.has(part.name) {
			continue
		}
		n, err := c.within(part.name, 0, high/part.unit-1, 0)
		if err != nil {
			return 0, err
		}
		total += n * part.unit
		high = part.unit
	}
	return total, nil
}
