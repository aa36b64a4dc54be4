package logquery

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"math"
	"strings"
	"time"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// native turns a value into one that JSON has: times and durations are texts, bytes are
// base64, numbers that JSON cannot hold are null.
func native(v ref.Val) any {
	switch v := v.(type) {
	case nil, types.Null:
		return nil
	case types.Bool:
		return bool(v)
	case types.Int:
		return int64(v)
	case types.Uint:
		return uint64(v)
	case types.Double:
		return number(float64(v))
	case types.String:
		return string(v)
	case types.Bytes:
		return base64.StdEncoding.EncodeToString(v)
	case types.Timestamp:
		return v.UTC().Format(time.RFC3339Nano)
	case types.Duration:
		return v.String()
	case traits.Mapper:
		out := make(map[string]any)
		for it := v.Iterator(); it.HasNext() == types.True; {
			key := it.Next()
			out[fmt.Sprint(key.Value())] = native(v.Get(key))
		}
		return out
	case traits.Lister:
		out := []any{}
		for it := v.Iterator(); it.HasNext() == types.True; {
			out = append(out, native(it.Next()))
		}
		return out
	}
	return fmt.Sprint(v.Value())
}

// compare orders values of columns: null, numbers, then everything else as text.
func compare(a, b any) int {
	x, xn := figure(a)
	y, yn := figure(b)
	switch {
	case a == nil || b == nil:
		return cmp.Compare(flag(a != nil), flag(b != nil))
	case xn && yn:
		return cmp.Compare(x, y)
	case xn != yn:
		return cmp.Compare(flag(yn), flag(xn))
	}
	return strings.Compare(fmt.Sprint(a), fmt.Sprint(b))
}

func figure(v any) (float64, bool) {
	switch v := v.(type) {
	case int64:
		return float64(v), true
	case uint64:
		return float64(v), true
	case float64:
		return v, !math.IsNaN(v)
	}
	return 0, false
}

func flag(b bool) int {
	if b {
		return 1
	}
	return 0
}
