package temporal

import "time"

// Field is a component of a value by name; ok is false when the value has none
// of that name.
func Field(v any, name string) (field any, ok bool) {
	switch v := v.(type) {
	case Date:
		return whole(dateField(v.t, name))
	case LocalTime:
		return whole(timeField(v.nanos, name))
	case Time:
		if n, ok := timeField(v.nanos, name); ok {
			return n, true
		}
		return zoneField(formatOffset(v.offset), v.offset, name)
	case LocalDateTime:
		return dateTimeField(v.t, name)
	case DateTime:
		if n, ok := dateTimeField(v.t, name); ok {
			return n, true
		}
		return momentField(v.t, name)
	case Duration:
		return whole(v.field(name))
	}
	return nil, false
}

func whole(n int64, ok bool) (any, bool) { return n, ok }

func dateField(t time.Time, name string) (int64, bool) {
	switch name {
	case "year":
		return int64(t.Year()), true
	case "quarter":
		return quarter(t), true
	case "month":
		return int64(t.Month()), true
	case "week":
		_, w := t.ISOWeek()
		return int64(w), true
	case "weekYear":
		y, _ := t.ISOWeek()
		return int64(y), true
	case "dayOfQuarter", "quarterDay":
		return dayOfQuarter(t), true
	case "day":
		return int64(t.Day()), true
	case "ordinalDay":
		return int64(t.YearDay()), true
	case "dayOfWeek", "weekDay":
		return isoWeekday(t), true
	}
	return 0, false
}

func timeField(nanos int64, name string) (int64, bool) {
	switch name {
	case "hour":
		return nanos / int64(time.Hour), true
	case "minute":
		return nanos / int64(time.Minute) % 60, true
	case "second":
		return nanos / second % 60, true
	case "millisecond":
		return nanos % second / 1_000_000, true
	case "microsecond":
		return nanos % second / 1000, true
	case "nanosecond":
		return nanos % second, true
	}
	return 0, false
}

func dateTimeField(t time.Time, name string) (any, bool) {
	if n, ok := dateField(t, name); ok {
		return n, true
	}
	n, ok := timeField(sinceMidnight(t), name)
	return n, ok
}

func zoneField(zone string, offset int, name string) (any, bool) {
	switch name {
	case "timezone":
		return zone, true
	case "offset":
		return formatOffset(offset), true
	case "offsetMinutes":
		return int64(offset / 60), true
	case "offsetSeconds":
		return int64(offset), true
	}
	return nil, false
}

func momentField(t time.Time, name string) (any, bool) {
	switch name {
	case "epochSeconds":
		return t.Unix(), true
	case "epochMillis":
		return t.UnixMilli(), true
	}
	_, offset := t.Zone()
	zone := zoneName(t.Location())
	if zone == "" {
		zone = formatOffset(offset)
	}
	return zoneField(zone, offset, name)
}

// field is a part of a duration: in whole ("hours" of all its seconds) or what is
// left over of the next larger ("minutesOfHour").
func (d Duration) field(name string) (int64, bool) {
	if n, ok := d.dayField(name); ok {
		return n, true
	}
	nanos := int64(d.nanos)
	switch name {
	case "hours":
		return d.seconds / 3600, true
	case "minutes":
		return d.seconds / 60, true
	case "seconds":
		return d.seconds, true
	case "milliseconds":
		return d.seconds*1000 + nanos/1_000_000, true
	case "microseconds":
		return d.seconds*1_000_000 + nanos/1000, true
	case "nanoseconds":
		return d.seconds*second + nanos, true
	case "minutesOfHour":
		return d.seconds / 60 % 60, true
	case "secondsOfMinute":
		return d.seconds % 60, true
	case "millisecondsOfSecond":
		return nanos / 1_000_000, true
	case "microsecondsOfSecond":
		return nanos / 1000, true
	case "nanosecondsOfSecond":
		return nanos, true
	}
	return 0, false
}

func (d Duration) dayField(name string) (int64, bool) {
	switch name {
	case "years":
		return d.months / 12, true
	case "quarters":
		return d.months / 3, true
	case "months":
		return d.months, true
	case "weeks":
		return d.days / 7, true
	case "days":
		return d.days, true
	case "quartersOfYear":
		return d.months % 12 / 3, true
	case "monthsOfQuarter":
		return d.months % 3, true
	case "monthsOfYear":
		return d.months % 12, true
	case "daysOfWeek":
		return d.days % 7, true
	}
	return 0, false
}
