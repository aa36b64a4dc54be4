package functions

import (
	"math"

	"cassini/manager/cypher/issue"
	"cassini/manager/cypher/types"
	"cassini/manager/cypher/value"
)

// maths are functions on numbers.
func maths() []Func {
	list := []Func{
		one("abs", types.Number, types.Of(types.Number), abs),
		one("sign", types.Number, types.Of(types.Integer), sign),
		one("isNaN", types.Number, types.Of(types.Boolean), func(v value.Value) (value.Value, error) {
			f, err := float("isNaN", v)
			return math.IsNaN(f), err
		}),
		{Name: "rand", Result: types.Of(types.Float), Volatile: true, Eval: func(env *Env, _ []value.Value) (value.Value, error) { return env.Rand(), nil }},
		{Name: "round", Min: 1, Max: 2, Args: []types.Kinds{types.Number, types.Integer}, Result: types.Of(types.Float), Eval: round},
		{Name: "atan2", Min: 2, Max: 2, Args: []types.Kinds{types.Number}, Result: types.Of(types.Float), Eval: func(_ *Env, args []value.Value) (value.Value, error) {
			y, err := float("atan2", args[0])
			if err != nil {
				return nil, err
			}
			x, err := float("atan2", args[1])
			return math.Atan2(y, x), err
		}},
		constant("e", math.E), constant("pi", math.Pi),
	}
	for name, f := range map[string]func(float64) float64{
		"ceil": math.Ceil, "floor": math.Floor, "sqrt": math.Sqrt, "exp": math.Exp, "log": math.Log, "log10": math.Log10,
		"sin": math.Sin, "cos": math.Cos, "tan": math.Tan, "asin": math.Asin, "acos": math.Acos, "atan": math.Atan,
		"cot":      func(x float64) float64 { return 1 / math.Tan(x) },
		"haversin": func(x float64) float64 { return (1 - math.Cos(x)) / 2 },
		"degrees":  func(x float64) float64 { return x * 180 / math.Pi },
		"radians":  func(x float64) float64 { return x * math.Pi / 180 },
	} {
		list = append(list, one(name, types.Number, types.Of(types.Float), func(v value.Value) (value.Value, error) {
			x, err := float(name, v)
			return f(x), err
		}))
	}
	return list
}

func constant(name string, f float64) Func {
	return Func{Name: name, Result: types.Of(types.Float), Eval: func(*Env, []value.Value) (value.Value, error) { return f, nil }}
}

func float(name string, v value.Value) (float64, error) {
	switch v := v.(type) {
	case int64:
		return float64(v), nil
	case float64:
		return v, nil
	}
	return 0, wrong(name, v)
}

func abs(v value.Value) (value.Value, error) {
	switch v := v.(type) {
	case int64:
		if v == math.MinInt64 {
			return nil, issue.Raise(issue.Semantic, "IntegerOverflow", "abs(%d) does not fit into 64 bits", v)
		}
		return max(v, -v), nil
	case float64:
		return math.Abs(v), nil
	}
	return nil, wrong("abs", v)
}

func sign(v value.Value) (value.Value, error) {
	f, err := float("sign", v)
	switch {
	case err != nil:
		return nil, err
	case f > 0:
		return int64(1), nil
	case f < 0:
		return int64(-1), nil
	}
	return int64(0), nil
}

// round goes to the nearest, a half upwards.
func round(_ *Env, args []value.Value) (value.Value, error) {
	f, err := float("round", args[0])
	if err != nil || len(args) == 1 {
		return math.Floor(f + 0.5), err
	}
	places, ok := args[1].(int64)
	if !ok || places < 0 || places > 300 {
		return nil, issue.Raise(issue.Argument, "NumberOutOfRange", "round() wants 0 to 300 places")
	}
	scale := math.Pow10(int(places))
	if scaled := f * scale; !math.IsInf(scaled, 0) {
		return math.Floor(scaled+0.5) / scale, nil
	}
	return f, nil
}
