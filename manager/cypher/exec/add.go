package exec

import (
	"cassini/manager/cypher/temporal"
	"cassini/manager/cypher/value"
)

// add adds numbers, puts texts and lists together, and moves dates and times.
func add(r *run, a, b value.Value) (value.Value, error) {
	if x, y, ok := integers(a, b); ok {
		if s := x + y; (s > x) == (y > 0) {
			return s, nil
		}
		return nil, overflow("+", x, y)
	}
	if x, y, ok := floats(a, b); ok {
		return x + y, nil
	}
	la, isList := a.(value.List)
	lb, isList2 := b.(value.List)
	switch {
	case isList && isList2:
		return concat(r, la, lb)
	case isList:
		return concat(r, la, value.List{b})
	case isList2:
		return concat(r, value.List{a}, lb)
	}
	if v, ok, err := addTime(a, b); ok {
		return v, badTime(err)
	}
	return addTexts(r, a, b)
}

func concat(r *run, a, b value.List) (value.Value, error) {
	out := make(value.List, 0, len(a)+len(b))
	out = append(append(out, a...), b...)
	_, err := r.weigh(out)
	return out, err
}

func addTime(a, b value.Value) (v value.Value, ok bool, err error) {
	da, isDuration := a.(temporal.Duration)
	db, isDuration2 := b.(temporal.Duration)
	switch {
	case isDuration && isDuration2:
		v, err := da.Plus(db)
		return v, true, err
	case isDuration2:
		return temporal.Add(a, db)
	case isDuration:
		return temporal.Add(b, da)
	}
	return nil, false, nil
}

// addTexts puts texts together; numbers beside a text become one.
func addTexts(r *run, a, b value.Value) (value.Value, error) {
	_, text := a.(string)
	_, text2 := b.(string)
	if !text && !text2 || !textual(a) || !textual(b) {
		err := cannot("+", a, b)
		if temporal.Is(a) || temporal.Is(b) {
			err = err.WithHint("what is added to a date or time is a duration: + duration('PT1H')")
		}
		return nil, err
	}
	x, y := value.Text(a), value.Text(b)
	if int64(len(x))+int64(len(y)) > r.limits.Memory {
		return nil, tooLarge()
	}
	return x + y, nil
}

func textual(v value.Value) bool {
	switch v.(type) {
	case string, int64, float64, bool:
		return true
	}
	return temporal.Is(v)
}
