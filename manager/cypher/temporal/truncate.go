package temporal

import "time"

// Truncate takes a value down to the start of a unit: millennium, century,
// decade, year, weekYear, quarter, month, week, day, hour, minute, second,
// millisecond or microsecond. The answer is a date, a time of day and a zone; the
// caller makes a value of the type that it wants of it with a Build function and
// fields that it adds.
func Truncate(unit string, v any) (Fields, error) {
	date, dated, nanos, timed, zone := parts(v)
	if !dated && !timed {
		return nil, invalid("this cannot be truncated")
	}
	unitNanos, fine := timeUnits()[unit]
	switch {
	case fine && timed:
		nanos -= nanos % unitNanos
	case fine:
		return nil, invalid("a date has no %s", unit)
	case unit == "day":
		nanos = 0
	default:
		if !dated {
			return nil, invalid("a time has no %s", unit)
		}
		var err error
		if date, err = truncateDate(unit, date); err != nil {
			return nil, err
		}
		nanos = 0
	}
	f := Fields{}
	if dated {
		f["date"] = Date{date}
	}
	f["time"] = LocalTime{nanos}
	if zone != nil {
		f["timezone"] = zone
	}
	return f, nil
}

// KeepFraction is for the fields of a value that was truncated to milliseconds or
// microseconds, to which a smaller part was added: the truncated part stays beside
// it.
func (f Fields) KeepFraction(unit string) {
	t, timed := f["time"].(LocalTime)
	unitNanos := timeUnits()[unit]
	_, given := f[unit]
	_, micro := f["microsecond"]
	_, nano := f["nanosecond"]
	if timed && !given && (unit == "millisecond" && (micro || nano) || unit == "microsecond" && nano) {
		f[unit] = t.nanos % second / unitNanos
	}
}

func timeUnits() map[string]int64 {
	return map[string]int64{"hour": int64(time.Hour), "minute": int64(time.Minute), "second": second, "millisecond": 1_000_000, "microsecond": 1000}
}

func truncateDate(unit string, t time.Time) (time.Time, error) {
	year := func(by int) time.Time {
		y, _ := floor(int64(t.Year()), int64(by))
		return time.Date(int(y)*by, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	switch unit {
	case "millennium":
		return year(1000), nil
	case "century":
		return year(100), nil
	case "decade":
		return year(10), nil
	case "year":
		return year(1), nil
	case "weekYear":
		y, _ := t.ISOWeek()
		return firstWeek(y), nil
	case "quarter":
		return time.Date(t.Year(), time.Month(quarter(t)*3-2), 1, 0, 0, 0, 0, time.UTC), nil
	case "month":
		return time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC), nil
	case "week":
		return t.AddDate(0, 0, int(1-isoWeekday(t))), nil
	}
	return t, invalid("there is no unit %q", unit)
}
