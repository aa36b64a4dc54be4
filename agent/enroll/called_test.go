package enroll

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"testing/synctest"
)

var errFinal = errors.New("it does not know that")

func TestCalled(t *testing.T) {
	dir := t.TempDir()
	answers := func(list ...any) (CallRequest, *int) {
		n := 0
		return CallRequest{Dir: dir, Manager: "http://192.0.2.1:1984", Name: "debian", Final: errFinal, Ask: func(context.Context) (string, error) {
			n++
			if err, bad := list[min(n, len(list))-1].(error); bad {
				return "", err
			}
			return list[min(n, len(list))-1].(string), nil
		}}, &n
	}
	away := errors.New("connection refused")
	for _, tc := range []struct {
		name    string
		edit    func(*CallRequest)
		answers []any
		want    string
		err     error
		asked   int // 0: until there is no time left
	}{
		{"an older manager", nil, []any{errFinal}, "debian", errFinal, 1},
		{"a manager that is away", nil, []any{away}, "debian", away, 0},
		{"nonsense", nil, []any{"debian~2x"}, "debian", ErrInvalid, 1},
		{"another's name", nil, []any{"web-1"}, "debian", ErrInvalid, 1},
		{"it comes back", nil, []any{away, away, "debian~2"}, "debian~2", nil, 3},
		{"it is remembered", nil, []any{away}, "debian~2", nil, -1},
		{"another manager", func(r *CallRequest) { r.Manager = "http://192.0.2.2:1984" }, []any{"debian"}, "debian", nil, 1},
		{"another name", func(r *CallRequest) { r.Name = "web-1" }, []any{"web-1~3"}, "web-1~3", nil, 1},
	} {
		synctest.Test(t, func(t *testing.T) {
			r, asked := answers(tc.answers...)
			if tc.edit != nil {
				tc.edit(&r)
			}
			got, err := Called(t.Context(), r)
			if got != tc.want || !errors.Is(err, tc.err) || (err == nil) != (tc.err == nil) {
				t.Errorf("%s: got %q, %v; want %q, %v", tc.name, got, err, tc.want, tc.err)
			}
			if want := max(tc.asked, 0); tc.asked != 0 && *asked != want || tc.asked == 0 && *asked < 10 {
				t.Errorf("%s: asked %d times", tc.name, *asked)
			}
		})
	}
	if err := os.WriteFile(filepath.Join(dir, calledFile), []byte("{damaged"), 0o600); err != nil {
		t.Fatal(err)
	}
	r, _ := answers("debian~2")
	if got, err := Called(t.Context(), r); err != nil || got != "debian~2" {
		t.Errorf("a damaged file: %q, %v", got, err)
	}
	if info, err := os.Stat(filepath.Join(dir, calledFile)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info, err)
	}
}
