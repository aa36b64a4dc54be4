package functions

import (
	"math"
	"strconv"
	"strings"

	"cassini/manager/cypher/temporal"
	"cassini/manager/cypher/types"
	"cassini/manager/cypher/value"
)

// conversions make one type of another. What cannot be converted because of its
// text is null; what cannot because of its type is an error, or null in the forms
// that end in OrNull.
func conversions() []Func {
	var list []Func
	for name, c := range map[string]struct {
		result  types.Kinds
		convert func(value.Value) (value.Value, bool)
	}{
		"toBoolean": {types.Boolean, toBoolean}, "toInteger": {types.Integer, toInteger},
		"toFloat": {types.Float, toFloat}, "toString": {types.String, toString},
	} {
		strict := one(name, types.Anything, types.Of(c.result), func(v value.Value) (value.Value, error) {
			out, ok := c.convert(v)
			if !ok {
				return nil, wrong(name, v)
			}
			return out, nil
		})
		list = append(list, strict, one(name+"OrNull", types.Anything, types.Of(c.result), func(v value.Value) (value.Value, error) {
			out, _ := c.convert(v)
			return out, nil
		}))
	}
	return list
}

func toBoolean(v value.Value) (value.Value, bool) {
	switch v := v.(type) {
	case bool:
		return v, true
	case int64:
		return v != 0, true
	case string:
		switch strings.ToLower(strings.TrimSpace(v)) {
		case "true":
			return true, true
		case "false":
			return false, true
		}
		return nil, true
	}
	return nil, false
}

func toInteger(v value.Value) (value.Value, bool) {
	switch v := v.(type) {
	case int64:
		return v, true
	case float64:
		return truncate(v), true
	case string:
		s := strings.TrimSpace(v)
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			return n, true
		}
		if f, err := strconv.ParseFloat(s, 64); err == nil && plain(s) {
			return truncate(f), true
		}
		return nil, true
	}
	return nil, false
}

// plain says that a text is a number as the language writes it: no hexadecimal
// and no infinity.
func plain(s string) bool { return !strings.ContainsAny(s, "xXnNiIpP_") }

func truncate(f float64) value.Value {
	if math.IsNaN(f) || f >= math.MaxInt64 || f < math.MinInt64 {
		return nil
	}
	return int64(f)
}

func toFloat(v value.Value) (value.Value, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case float64:
		return v, true
	case string:
		s := strings.TrimSpace(v)
		if f, err := strconv.ParseFloat(s, 64); err == nil && plain(s) {
			return f, true
		}
		return nil, true
	}
	return nil, false
}

func toString(v value.Value) (value.Value, bool) {
	switch v.(type) {
	case bool, int64, float64, string:
		return value.Text(v), true
	}
	if temporal.Is(v) {
		return value.Text(v), true
	}
	return nil, false
}
