package scan

import (
	"testing"
	"time"
)

// TestClockOfEveryDay compares each day of years that differ in length with package time.
func TestClockOfEveryDay(t *testing.T) {
	for day := time.Date(1599, 12, 30, 23, 59, 58, 999_999_999, time.UTC); day.Year() < 2110; day = day.AddDate(0, 0, 1) {
		if got, ok := Clock(day.Format("2006-01-02T15:04:05.000000000"), 'T'); !ok || got != day {
			t.Fatalf("%v became %v, %v", day, got, ok)
		}
	}
	for text, want := range map[string]time.Time{
		"0000-01-01.00:00:00":         time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC),
		"0000-03-01.00:00:00.1":       time.Date(0, 3, 1, 0, 0, 0, 100_000_000, time.UTC),
		"9999-12-31.23:59:59.0000001": time.Date(9999, 12, 31, 23, 59, 59, 100, time.UTC),
	} {
		if got, ok := Clock([]byte(text), '.'); !ok || got != want {
			t.Errorf("%s became %v, %v", text, got, ok)
		}
	}
}

func TestClockRefuses(t *testing.T) {
	for _, text := range []string{
		"", "2026-11-22T01:02:0", "2026-11-22.01:02:03", "2026-02-29T01:02:03", "2100-02-29T01:02:03", "2026-13-01T01:02:03", "2026-00-01T01:02:03", "2026-01-00T01:02:03",
		"2026-04-31T01:02:03", "2026-01-01T24:02:03", "2026-01-01T01:60:03", "2026-01-01T01:02:60", "2026-01-01T01:02:03.", "2026-01-01T01:02:03,5", "2026-01-01T01:02:03.0000000001",
		"2026-01-01T01:02:03.1x", "2026-01-01T01:02:03Z", "2026-01-01T01:02:03 ", "-026-01-01T01:02:03", "2026/01-01T01:02:03", "2026-01/01T01:02:03", "2026-01-01T01.02:03", "2026-01-01T01:02.03", "20 6-01-01T01:02:03",
	} {
		if got, ok := Clock(text, 'T'); ok {
			t.Errorf("%q became %v", text, got)
		}
	}
}

// FuzzClock holds that what is taken is what package time makes of it.
func FuzzClock(f *testing.F) {
	f.Add("2026-11-22T01:02:03.000456")
	f.Fuzz(func(t *testing.T, text string) {
		got, ok := Clock(text, 'T')
		if want, err := time.Parse(time.RFC3339Nano, text+"Z"); ok && (err != nil || want != got) {
			t.Errorf("%q became %v, want %v, %v", text, got, want, err)
		}
	})
}
