package main

import (
	"errors"
	"fmt"
	"time"
)

// parseMoment reads a moment, as tables show it too: without a zone it is of the zone of now.
func parseMoment(s string, now time.Time) (time.Time, error) {
	if ago, err := time.ParseDuration(s); err == nil && ago >= 0 {
		return now.Add(-ago), nil
	}
	if at, err := time.Parse(time.RFC3339, s); err == nil {
		return at, nil
	}
	if day, err := time.Parse(time.DateOnly, s); err == nil {
		at, _ := once(day, s, now.Location())
		return at, nil // where clocks leap over midnight, or come to it twice, the day begins with it
	}
	for _, layout := range []string{time.DateTime, "2006-01-02T15:04:05", "2006-01-02 15:04", "2006-01-02T15:04"} {
		if wall, err := time.Parse(layout, s); err == nil {
			return once(wall, s, now.Location())
		}
	}
	return time.Time{}, errors.New("want a time such as 2026-11-20T19:26:03Z or 2026-11-20 19:26, or a duration such as 10m")
}

// onTheWall are the moments at which clocks of a zone show what wall shows in UTC: by the offset of
// the day before, and by that of the day after. They differ about the hour at which clocks are changed.
func onTheWall(wall time.Time, zone *time.Location) (before, after time.Time) {
	by := func(day time.Time) time.Time {
		_, offset := day.In(zone).Zone()
		return wall.Add(-time.Duration(offset) * time.Second).In(zone)
	}
	return by(wall.AddDate(0, 0, -1)), by(wall.AddDate(0, 0, 1))
}

// once is the moment at which clocks of a zone show what wall shows in UTC, unless they leap over it
// or come to it twice: then it is by the offset of before, with an error.
func once(wall time.Time, s string, zone *time.Location) (time.Time, error) {
	before, after := onTheWall(wall, zone)
	first, second := shows(before, wall), shows(after, wall)
	switch {
	case !first && !second:
		return before, fmt.Errorf("the clocks of this zone (%s) leap over %s: want %s or %s", zone, s, after.Format(time.RFC3339), before.Format(time.RFC3339))
	case first && second && !before.Equal(after):
		return before, fmt.Errorf("the clocks of this zone (%s) show %s twice: want %s or %s", zone, s, before.Format(time.RFC3339), after.Format(time.RFC3339))
	case first:
		return before, nil
	}
	return after, nil
}

// shows says whether a clock shows at a moment what wall shows in UTC.
func shows(at, wall time.Time) bool {
	return at.Format(time.DateTime) == wall.Format(time.DateTime)
}
