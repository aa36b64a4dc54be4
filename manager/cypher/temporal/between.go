package temporal

import "time"

// Between is the duration from one value to another: months, then days, then
// time, each as many as fit. Values that lack a date stand on the day of the other
// one; ok is false for values that are not temporal or are durations.
func Between(a, b any) (d Duration, ok bool) {
	from, to, dated, ok := align(a, b)
	if !ok {
		return d, false
	}
	if !dated {
		return FromGo(to.Sub(from)), true
	}
	months := monthsBetween(from, to)
	from = addMonths(from, months)
	days := daysBetween(from, to)
	from = from.AddDate(0, 0, int(days))
	rest := seconds(from, to)
	rest.months, rest.days = months, days
	return rest, true
}

// InMonths is how many whole months lie between two values.
func InMonths(a, b any) (d Duration, ok bool) {
	from, to, dated, ok := align(a, b)
	if dated {
		d.months = monthsBetween(from, to)
	}
	return d, ok
}

// InDays is how many whole days lie between two values.
func InDays(a, b any) (d Duration, ok bool) {
	from, to, dated, ok := align(a, b)
	if dated {
		d.days = daysBetween(from, to)
	}
	return d, ok
}

// InSeconds is the time between two values, without months and days.
func InSeconds(a, b any) (d Duration, ok bool) {
	from, to, _, ok := align(a, b)
	if !ok {
		return d, false
	}
	return seconds(from, to), true
}

// align puts two values on one time line. Zones count if both have one; without
// a date in both, only their times of day do.
func align(a, b any) (from, to time.Time, dated, ok bool) {
	aDate, aDated, aNanos, aTimed, aZone := parts(a)
	bDate, bDated, bNanos, bTimed, bZone := parts(b)
	if !aDated && !aTimed || !bDated && !bTimed {
		return from, to, false, false
	}
	switch {
	case aZone == nil && bZone == nil:
		aZone, bZone = time.UTC, time.UTC
	case aZone == nil:
		aZone = bZone
	case bZone == nil:
		bZone = aZone
	}
	dated = aDated && bDated
	if !dated {
		aDate = time.Date(1970, 1, 1, 0, 0, 0, 0, time.UTC)
		bDate = aDate
	}
	return LocalTime{aNanos}.on(aDate, aZone), LocalTime{bNanos}.on(bDate, bZone), dated, true
}

// monthsBetween counts whole months, towards zero.
func monthsBetween(from, to time.Time) int64 {
	to = to.In(from.Location())
	months := int64(to.Year()-from.Year())*12 + int64(to.Month()) - int64(from.Month())
	switch moved := addMonths(from, months); {
	case months > 0 && moved.After(to):
		months--
	case months < 0 && moved.Before(to):
		months++
	}
	return months
}

func addMonths(t time.Time, months int64) time.Time {
	moved, err := move(t, Duration{months: months})
	if err != nil { // between two values that exist there is no value that does not
		return t
	}
	return moved
}

// daysBetween counts whole days, towards zero.
func daysBetween(from, to time.Time) int64 {
	to = to.In(from.Location())
	days := (midnight(to).Unix() - midnight(from).Unix()) / daySeconds
	switch moved := from.AddDate(0, 0, int(days)); {
	case days > 0 && moved.After(to):
		days--
	case days < 0 && moved.Before(to):
		days++
	}
	return days
}

func seconds(from, to time.Time) Duration {
	d, _ := NewDuration(0, 0, to.Unix()-from.Unix(), int64(to.Nanosecond()-from.Nanosecond())) // times of day and known years
	return d
}
