package exec

import (
	"math"

	"cassini/manager/cypher/issue"
	"cassini/manager/cypher/temporal"
	"cassini/manager/cypher/value"
)

type operator = func(_ *run, a, b value.Value) (value.Value, error)

// arithmetic finds an operator; a null on either side makes null of all of them.
func arithmetic(op string) operator {
	f := map[string]operator{"+": add, "-": subtract, "*": multiply, "/": divide, "%": modulo, "^": power}[op]
	return func(r *run, a, b value.Value) (value.Value, error) {
		if a == nil || b == nil {
			return nil, nil
		}
		return f(r, a, b)
	}
}

func cannot(op string, a, b value.Value) *issue.Error {
	return issue.Raise(issue.Type, "InvalidArgumentType", "%s does not work on %s and %s", op, value.Described(a), value.Described(b))
}

func overflow(op string, a, b int64) error {
	return issue.Raise(issue.Semantic, "IntegerOverflow", "%d %s %d does not fit into 64 bits", a, op, b)
}

// integers are both values, if both are integers.
func integers(a, b value.Value) (x, y int64, ok bool) {
	x, ok = a.(int64)
	y, ok2 := b.(int64)
	return x, y, ok && ok2
}

// floats are both values, if both are numbers.
func floats(a, b value.Value) (x, y float64, ok bool) {
	x, ok = float(a)
	y, ok2 := float(b)
	return x, y, ok && ok2
}

func float(v value.Value) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	}
	return 0, false
}

func negate(v value.Value) (value.Value, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case int64:
		if v == math.MinInt64 {
			return nil, overflow("-", 0, v)
		}
		return -v, nil
	case float64:
		return -v, nil
	case temporal.Duration:
		d, err := v.Times(-1)
		return d, badTime(err)
	}
	return nil, issue.Raise(issue.Type, "InvalidArgumentType", "- does not work on %s", value.Described(v))
}

func plus(v value.Value) (value.Value, error) {
	switch v.(type) {
	case nil, int64, float64, temporal.Duration:
		return v, nil
	}
	return nil, issue.Raise(issue.Type, "InvalidArgumentType", "+ does not work on %s", value.Described(v))
}

func subtract(_ *run, a, b value.Value) (value.Value, error) {
	if x, y, ok := integers(a, b); ok {
		if d := x - y; (d < x) == (y > 0) {
			return d, nil
		}
		return nil, overflow("-", x, y)
	}
	if x, y, ok := floats(a, b); ok {
		return x - y, nil
	}
	if d, ok := b.(temporal.Duration); ok {
		if from, ok := a.(temporal.Duration); ok {
			out, err := from.Minus(d)
			return out, badTime(err)
		}
		if v, ok, err := temporal.Subtract(a, d); ok {
			return v, badTime(err)
		}
	}
	return nil, betweenMoments(a, b)
}

// betweenMoments says what to write for the time between two moments, and for a
// moment some time before another.
func betweenMoments(a, b value.Value) error {
	err := cannot("-", a, b)
	switch {
	case temporal.Is(a) && temporal.Is(b):
		return err.WithHint("write duration.between(b, a), or duration.inSeconds(b, a).seconds for a number")
	case temporal.Is(a):
		return err.WithHint("what is taken off a date or time is a duration: - duration('PT1H')")
	}
	return err
}

func multiply(_ *run, a, b value.Value) (value.Value, error) {
	if x, y, ok := integers(a, b); ok {
		p := x * y
		if x != 0 && (p/x != y || x == -1 && y == math.MinInt64) {
			return nil, overflow("*", x, y)
		}
		return p, nil
	}
	if x, y, ok := floats(a, b); ok {
		return x * y, nil
	}
	if d, ok := a.(temporal.Duration); ok {
		if f, ok := float(b); ok {
			out, err := d.Times(f)
			return out, badTime(err)
		}
	}
	if d, ok := b.(temporal.Duration); ok {
		if f, ok := float(a); ok {
			out, err := d.Times(f)
			return out, badTime(err)
		}
	}
	return nil, cannot("*", a, b)
}

func byZero() error {
	return issue.Raise(issue.Semantic, "DivisionByZero", "an integer cannot be divided by zero")
}

func divide(_ *run, a, b value.Value) (value.Value, error) {
	if x, y, ok := integers(a, b); ok {
		switch {
		case y == 0:
			return nil, byZero()
		case y == -1 && x == math.MinInt64:
			return nil, overflow("/", x, y)
		}
		return x / y, nil
	}
	if x, y, ok := floats(a, b); ok {
		return x / y, nil
	}
	if d, ok := a.(temporal.Duration); ok {
		if f, ok := float(b); ok {
			out, err := d.Times(1 / f)
			return out, badTime(err)
		}
	}
	return nil, cannot("/", a, b)
}

func modulo(_ *run, a, b value.Value) (value.Value, error) {
	if x, y, ok := integers(a, b); ok {
		switch y {
		case 0:
			return nil, byZero()
		case -1:
			return int64(0), nil
		}
		return x % y, nil
	}
	if x, y, ok := floats(a, b); ok {
		return math.Mod(x, y), nil
	}
	return nil, cannot("%", a, b)
}

func power(_ *run, a, b value.Value) (value.Value, error) {
	if x, y, ok := floats(a, b); ok {
		return math.Pow(x, y), nil
	}
	return nil, cannot("^", a, b)
}

// badTime turns an error of package temporal into one of the query.
func badTime(err error) error {
	if err == nil {
		return nil
	}
	return issue.Raise(issue.Argument, "InvalidArgumentValue", "%v", err)
}
