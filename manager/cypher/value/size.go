package value

// MaxDepth is how deep lists and maps may stand in one another, so that whoever
// walks through a value needs no bound of its own.
const MaxDepth = 1000

// Size estimates the memory of a value in bytes. It gives up once the value is
// known to be larger than limit, and says so by ok; a value that is nested too
// deep counts as too large. A list that stands in a value twice counts twice, for
// that is what walking through it costs.
func Size(v Value, limit int64) (size int64, ok bool) {
	left := measure(v, limit, MaxDepth)
	return limit - left, left >= 0
}

const word = 16 // of an interface value

// measure takes the size of a value off what is left; a negative answer means
// that it does not fit.
func measure(v Value, left int64, depth int) int64 {
	if depth == 0 {
		return -1
	}
	left -= word
	switch v := v.(type) {
	case string:
		left -= int64(len(v))
	case List:
		left -= 24
		for _, e := range v {
			if left < 0 {
				return left
			}
			left = measure(e, left, depth-1)
		}
	case Map:
		left -= 48
		for name, e := range v {
			if left < 0 {
				return left
			}
			left = measure(e, left-word-int64(len(name)), depth-1)
		}
	case *Path:
		left -= int64(len(v.Nodes)+len(v.Relationships)) * 8
	}
	return left
}
