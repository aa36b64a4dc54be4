package functions

import (
	"maps"
	"slices"
	"time"

	"cassini/manager/cypher/issue"
	"cassini/manager/cypher/temporal"
	"cassini/manager/cypher/types"
	"cassini/manager/cypher/value"
)

// kind is one of the temporal types: how it is read, built and taken from a
// moment.
type kind struct {
	name  string
	kinds types.Kinds
	parse func(string) (any, error)
	build func(temporal.Fields) (any, error)
	now   func(temporal.DateTime) any
	parts []string // fields that it can begin with
	like  string   // one as it is written
}

func erase[T, R any](f func(T) (R, error)) func(T) (any, error) {
	return func(t T) (any, error) {
		v, err := f(t)
		return v, err
	}
}

func kinds() []kind {
	return []kind{
		{"date", types.Date, erase(temporal.ParseDate), erase(temporal.BuildDate),
			func(d temporal.DateTime) any { return d.Date() }, []string{"date"}, "2026-11-20"},
		{"localtime", types.LocalTime, erase(temporal.ParseLocalTime), erase(temporal.BuildLocalTime),
			func(d temporal.DateTime) any { return d.LocalTime() }, []string{"time"}, "19:26:03"},
		{"time", types.Time, erase(temporal.ParseTime), erase(temporal.BuildTime),
			func(d temporal.DateTime) any { return d.TimeOfDay() }, []string{"time", "timezone"}, "19:26:03+01:00"},
		{"localdatetime", types.LocalDateTime, erase(temporal.ParseLocalDateTime), erase(temporal.BuildLocalDateTime),
			func(d temporal.DateTime) any { return d.Local() }, []string{"date", "time"}, "2026-11-20T19:26:03"},
		{"datetime", types.DateTime, erase(temporal.ParseDateTime), erase(temporal.BuildDateTime),
			func(d temporal.DateTime) any { return d }, []string{"date", "time", "timezone"}, "2026-11-20T19:26:03Z"},
	}
}

// temporals make dates, times and durations.
func temporals() []Func {
	input := types.String | types.Map | types.Moment
	list := []Func{
		{Name: "duration", Min: 1, Max: 1, Args: []types.Kinds{types.String | types.Map | types.Duration}, Result: types.Of(types.Duration), Eval: duration},
		{Name: "datetime.fromEpoch", Min: 2, Max: 2, Args: []types.Kinds{types.Integer}, Result: types.Of(types.DateTime), Eval: fromEpoch},
		{Name: "datetime.fromEpochMillis", Min: 1, Max: 1, Args: []types.Kinds{types.Integer}, Result: types.Of(types.DateTime), Eval: fromEpochMillis},
	}
	for name, f := range map[string]func(a, b any) (temporal.Duration, bool){
		"duration.between": temporal.Between, "duration.inMonths": temporal.InMonths, "duration.inDays": temporal.InDays, "duration.inSeconds": temporal.InSeconds,
	} {
		list = append(list, Func{Name: name, Min: 2, Max: 2, Args: []types.Kinds{types.Moment}, Result: types.Of(types.Duration),
			Eval: func(_ *Env, args []value.Value) (value.Value, error) {
				d, ok := f(args[0], args[1])
				if !ok {
					return nil, issue.Raise(issue.Type, "InvalidArgumentValue", "%s() wants two dates or times", name)
				}
				return d, nil
			}})
	}
	for _, k := range kinds() {
		result := types.Of(k.kinds)
		list = append(list,
			Func{Name: k.name, Max: 1, Args: []types.Kinds{input}, Result: result, Eval: k.make},
			Func{Name: k.name + ".truncate", Min: 1, Max: 3, Args: []types.Kinds{types.String, types.Moment, types.Map}, Result: result, Eval: k.truncate})
		for _, clock := range []string{"transaction", "statement", "realtime"} {
			list = append(list, Func{Name: k.name + "." + clock, Max: 1, Args: []types.Kinds{types.String}, Result: result, Eval: k.clock})
		}
	}
	return list
}

// bad turns an error of package temporal into one of the query.
func bad(err error) *issue.Error {
	return issue.Raise(issue.Argument, "InvalidArgumentValue", "%v", err)
}

func (k kind) make(env *Env, args []value.Value) (value.Value, error) {
	if len(args) == 0 {
		return k.now(env.Now), nil
	}
	switch a := args[0].(type) {
	case string:
		v, err := k.parse(a)
		if err != nil {
			return nil, bad(err).WithHint("it is written like %s('%s')", k.name, k.like)
		}
		return v, nil
	case value.Map:
		return k.fromMap(a)
	}
	if !temporal.Is(args[0]) {
		return nil, wrong(k.name, args[0])
	}
	v, err := k.convert(args[0])
	if err != nil {
		return nil, bad(err)
	}
	return v, nil
}

func (k kind) fromMap(m value.Map) (value.Value, error) {
	f := make(temporal.Fields, len(m))
	for name, v := range m {
		if v == nil {
			return nil, nil
		}
		f[name] = v
	}
	v, err := k.build(f)
	if err != nil {
		return nil, bad(err)
	}
	return v, nil
}

// convert takes from another temporal value what this type has.
func (k kind) convert(v any) (any, error) {
	f := temporal.Fields{}
	for _, part := range k.parts {
		if part == "timezone" {
			continue
		}
		has := "hour"
		if part == "date" {
			has = "year"
		}
		if _, ok := temporal.Field(v, has); ok {
			f[part] = v
		}
	}
	return k.build(f)
}

// truncate takes a value down to a unit; a third argument then sets smaller parts.
func (k kind) truncate(env *Env, args []value.Value) (value.Value, error) {
	unit, ok := args[0].(string)
	if !ok {
		return nil, wrong(k.name+".truncate", args[0])
	}
	from := any(env.Now)
	if len(args) > 1 {
		from = args[1]
	}
	all, err := temporal.Truncate(unit, from)
	if err != nil {
		return nil, bad(err)
	}
	maps.DeleteFunc(all, func(name string, _ any) bool { return !slices.Contains(k.parts, name) })
	if len(args) > 2 {
		extra, ok := args[2].(value.Map)
		if !ok {
			return nil, wrong(k.name+".truncate", args[2])
		}
		for name, v := range extra {
			all[name] = v
		}
		all.KeepFraction(unit)
	}
	v, err := k.build(all)
	if err != nil {
		return nil, bad(err)
	}
	return v, nil
}

// clock is the moment that the query began, in a zone.
func (k kind) clock(env *Env, args []value.Value) (value.Value, error) {
	now := env.Now
	if len(args) == 1 {
		name, ok := args[0].(string)
		if !ok {
			return nil, wrong(k.name, args[0])
		}
		zone, err := temporal.ParseZone(name)
		if err != nil {
			return nil, bad(err)
		}
		now = temporal.FromTime(now.Time().In(zone))
	}
	return k.now(now), nil
}

func duration(_ *Env, args []value.Value) (value.Value, error) {
	switch a := args[0].(type) {
	case string:
		d, err := temporal.ParseDuration(a)
		if err != nil {
			return nil, bad(err).WithHint("it is written like duration('P1DT2H30M'), or duration({days: 1, hours: 2})")
		}
		return d, nil
	case value.Map:
		d, err := temporal.BuildDuration(temporal.Fields(a))
		if err != nil {
			return nil, bad(err)
		}
		return d, nil
	case temporal.Duration:
		return a, nil
	}
	return nil, wrong("duration", args[0])
}

func fromEpoch(_ *Env, args []value.Value) (value.Value, error) {
	s, ok := args[0].(int64)
	n, ok2 := args[1].(int64)
	if !ok || !ok2 || max(s, -s) > 1e15 {
		return nil, issue.Raise(issue.Argument, "NumberOutOfRange", "datetime.fromEpoch() wants seconds and nanoseconds")
	}
	return temporal.FromTime(time.Unix(s, n).UTC()), nil
}

func fromEpochMillis(_ *Env, args []value.Value) (value.Value, error) {
	ms, ok := args[0].(int64)
	if !ok {
		return nil, wrong("datetime.fromEpochMillis", args[0])
	}
	return temporal.FromTime(time.UnixMilli(ms).UTC()), nil
}
