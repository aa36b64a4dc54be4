package temporal

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

// show writes a value or an error.
func show(v any, err error) string {
	if err != nil {
		if !errors.Is(err, ErrInvalid) {
			return "not ErrInvalid: " + err.Error()
		}
		return "invalid"
	}
	return fmt.Sprint(v)
}

func TestParse(t *testing.T) {
	parse := map[string]func(string) string{
		"date":          func(s string) string { return show(ParseDate(s)) },
		"time":          func(s string) string { return show(ParseTime(s)) },
		"localtime":     func(s string) string { return show(ParseLocalTime(s)) },
		"localdatetime": func(s string) string { return show(ParseLocalDateTime(s)) },
		"datetime":      func(s string) string { return show(ParseDateTime(s)) },
		"duration":      func(s string) string { return show(ParseDuration(s)) },
	}
	for _, tc := range [][3]string{
		{"date", "2015-07-21", "2015-07-21"}, {"date", "20150721", "2015-07-21"}, {"date", "2015-07", "2015-07-01"}, {"date", "201507", "2015-07-01"},
		{"date", "2015-W30-2", "2015-07-21"}, {"date", "2015W302", "2015-07-21"}, {"date", "2015-W30", "2015-07-20"}, {"date", "2015-202", "2015-07-21"},
		{"date", "2015202", "2015-07-21"}, {"date", "2015", "2015-01-01"}, {"date", "+12345-01-01", "+12345-01-01"}, {"date", "2015-Q3-01", "2015-07-01"},
		{"date", "2015-13-01", "invalid"}, {"date", "2015-02-29", "invalid"}, {"date", "x", "invalid"}, {"date", "2015-W54", "invalid"},
		{"localtime", "21:40:32.142", "21:40:32.142"}, {"localtime", "214032.142", "21:40:32.142"}, {"localtime", "21:40", "21:40"}, {"localtime", "21", "21:00"},
		{"localtime", "24:00", "invalid"}, {"localtime", "2140x", "invalid"},
		{"time", "21:40:32.142+0100", "21:40:32.142+01:00"}, {"time", "21:40-00:30", "21:40-00:30"}, {"time", "2140", "21:40Z"}, {"time", "21:40+25:00", "invalid"},
		{"localdatetime", "2015-07-21T21:40:32.142", "2015-07-21T21:40:32.142"}, {"localdatetime", "2015-W30-2T2140", "2015-07-21T21:40"},
		{"datetime", "2015-07-21T21:40:32.142+0100", "2015-07-21T21:40:32.142+01:00"}, {"datetime", "2015-07-21T21:40Z", "2015-07-21T21:40Z"}, {"datetime", "2015-07-21", "2015-07-21T00:00Z"},
		{"datetime", "2015-07-21T21:40[Nowhere/Land]", "invalid"},
		{"duration", "P14DT16H12M", "P14DT16H12M"}, {"duration", "P5M1.5D", "P5M1DT12H"}, {"duration", "P0.75M", "P22DT19H51M49.5S"}, {"duration", "PT0.75M", "PT45S"},
		{"duration", "P2.5W", "P17DT12H"}, {"duration", "P2012-02-02T14:37:21.545", "P2012Y2M2DT14H37M21.545S"}, {"duration", "PT-1.5S", "PT-1.5S"}, {"duration", "-P1D", "P-1D"},
		{"duration", "P", "invalid"}, {"duration", "PT", "invalid"}, {"duration", "P1.2.3D", "invalid"}, {"duration", "P99999999999999999999Y", "invalid"},
	} {
		if got := parse[tc[0]](tc[1]); got != tc[2] {
			t.Errorf("%s %s: got %s, want %s", tc[0], tc[1], got, tc[2])
		}
	}
}

func TestBuild(t *testing.T) {
	moment, _ := ParseDateTime("1984-10-11T12:31:14.645+01:00")
	for name, tc := range map[string]struct{ got, want string }{
		"calendar":  {show(BuildDate(Fields{"year": int64(1984), "month": int64(10), "day": int64(11)})), "1984-10-11"},
		"week":      {show(BuildDate(Fields{"year": int64(1984), "week": int64(10), "dayOfWeek": int64(3)})), "1984-03-07"},
		"quarter":   {show(BuildDate(Fields{"year": int64(1984), "quarter": int64(3), "dayOfQuarter": int64(45)})), "1984-08-14"},
		"ordinal":   {show(BuildDate(Fields{"year": int64(1984), "ordinalDay": int64(202)})), "1984-07-20"},
		"changed":   {show(BuildDate(Fields{"date": moment, "day": int64(28)})), "1984-10-28"},
		"no year":   {show(BuildDate(Fields{"month": int64(1)})), "invalid"},
		"no such":   {show(BuildDate(Fields{"year": int64(1), "hour": int64(1)})), "invalid"},
		"parts":     {show(BuildLocalTime(Fields{"hour": int64(12), "millisecond": int64(645), "microsecond": int64(876), "nanosecond": int64(123)})), "12:00:00.645876123"},
		"zone":      {show(BuildTime(Fields{"time": moment, "timezone": "+05:00"})), "16:31:14.645+05:00"},
		"elsewhere": {show(BuildDateTime(Fields{"datetime": moment, "timezone": "-01:00"})), "1984-10-11T10:31:14.645-01:00"},
		"epoch":     {show(BuildDateTime(Fields{"epochSeconds": int64(416779), "nanosecond": int64(23)})), "1970-01-05T19:46:19.000000023Z"},
		"duration":  {show(BuildDuration(Fields{"days": int64(14), "hours": int64(16), "minutes": 1.5, "nanoseconds": int64(1)})), "P14DT16H1M30.000000001S"},
	} {
		if tc.got != tc.want {
			t.Errorf("%s: got %s, want %s", name, tc.got, tc.want)
		}
	}
}

func TestArithmetic(t *testing.T) {
	date := func(s string) Date { d, _ := ParseDate(s); return d }
	span := func(s string) Duration { d, _ := ParseDuration(s); return d }
	between := func(a, b any) string { d, _ := Between(a, b); return d.String() }
	add := func(v any, d string) string { v, _, err := Add(v, span(d)); return show(v, err) }
	late, _ := ParseLocalTime("23:30")
	from, _ := ParseDateTime("2020-01-01T12:00Z")
	to, _ := ParseDateTime("2021-03-02T11:00+01:00")
	for _, tc := range [][2]string{
		{add(date("2020-01-31"), "P1M"), "2020-02-29"},
		{add(date("2020-02-29"), "P-1Y"), "2019-02-28"},
		{add(late, "PT1H"), "00:30"},
		{add(from, "P1DT12H"), "2020-01-03T00:00Z"},
		{add(date("2020-01-01"), "P999999999999Y"), "invalid"},
		{between(date("2018-01-31"), date("2020-02-01")), "P2Y1D"},
		{between(date("2020-02-01"), date("2018-01-31")), "P-2Y-1D"},
		{between(from, to), "P1Y2MT22H"},
		{between(late, from), "PT-11H-30M"},
		{show(span("P1Y").Plus(span("PT1.5S"))), "P1YT1.5S"},
		{show(span("P1M").Times(0.5)), "P15DT5H14M33S"},
		{show(Duration{months: 1<<63 - 1}.Plus(Duration{months: 1})), "invalid"},
	} {
		if tc[0] != tc[1] {
			t.Errorf("got %s, want %s", tc[0], tc[1])
		}
	}
}

func TestFieldsAndUnits(t *testing.T) {
	d, _ := ParseDateTime("1984-11-11T12:31:14.645876123+01:00")
	for name, want := range map[string]any{"year": int64(1984), "quarter": int64(4), "week": int64(45), "dayOfWeek": int64(7), "ordinalDay": int64(316), "dayOfQuarter": int64(42),
		"millisecond": int64(645), "offset": "+01:00", "offsetMinutes": int64(60), "timezone": "+01:00", "epochSeconds": int64(469020674)} {
		if got, ok := Field(d, name); !ok || got != want {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
	if _, ok := Field(d, "nothing"); ok {
		t.Error("a component that is not there was found")
	}
	for unit, want := range map[string]string{"millennium": "1000-01-01T00:00+01:00", "century": "1900-01-01T00:00+01:00", "decade": "1980-01-01T00:00+01:00", "weekYear": "1984-01-02T00:00+01:00",
		"quarter": "1984-10-01T00:00+01:00", "week": "1984-11-05T00:00+01:00", "day": "1984-11-11T00:00+01:00", "minute": "1984-11-11T12:31+01:00", "millisecond": "1984-11-11T12:31:14.645+01:00"} {
		f, err := Truncate(unit, d)
		if err != nil {
			t.Errorf("%s: %v", unit, err)
			continue
		}
		if got := show(BuildDateTime(f)); got != want {
			t.Errorf("%s: got %s, want %s", unit, got, want)
		}
	}
	if got := FromTime(time.Unix(0, 1).UTC()).String(); got != "1970-01-01T00:00:00.000000001Z" {
		t.Error(got)
	}
}

// FuzzParse wants every value that is read to be read again from its text as the
// same.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"2015-W30-2T21:40:32.142+01:00", "21:40", "P1Y2M3W4DT5H6M7.8S", "-P0.5M", "2012-02-02", "P2012-02-02T14:37:21.5"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		again(t, s, ParseDate)
		again(t, s, ParseLocalTime)
		again(t, s, ParseTime)
		again(t, s, ParseLocalDateTime)
		again(t, s, ParseDateTime)
		again(t, s, ParseDuration)
	})
}

func again[T fmt.Stringer](t *testing.T, s string, parse func(string) (T, error)) {
	v, err := parse(s)
	if err != nil {
		return
	}
	w, err := parse(v.String())
	if err != nil || w.String() != v.String() {
		t.Fatalf("%q is %s, and again %s, %v", s, v, w, err)
	}
	if d, ok := any(v).(DateTime); ok {
		Between(d, FromTime(time.Unix(0, 0)))
		if _, _, err := Add(d, Duration{months: 13, days: -40, seconds: 1e6}); err != nil && !errors.Is(err, ErrInvalid) {
			t.Fatal(err)
		}
	}
}
