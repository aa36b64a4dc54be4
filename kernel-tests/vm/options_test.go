package main

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"testing"
)

func TestOptions(t *testing.T) {
	t.Setenv("CASSINI_VM_CACHE", t.TempDir())
	opts, err := parseOptions([]string{"-kernels", "5.10, 7.2", "-test", "a,b", "-test", "c", "d"}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(opts.kernels, []string{"5.10", "7.2"}) || !slices.Equal(opts.tests, []string{"a", "b", "c", "d"}) {
		t.Errorf("kernels %q, tests %q", opts.kernels, opts.tests)
	}
}

func TestWrongUsage(t *testing.T) {
	t.Setenv("CASSINI_VM_CACHE", t.TempDir())
	tests := map[string]struct {
		args []string
		want string
	}{
		"no binary":      {nil, "name a test binary with -test"},
		"no kernel":      {[]string{"-kernels", "", "x"}, "no kernel"},
		"no series":      {[]string{"-kernels", "newest", "x"}, `kernel "newest" is not a series`},
		"flavour":        {[]string{"-kernels", "6.1-cloudy", "x"}, "is not a series"},
		"docs of a part": {[]string{"-docs", "docs", "-run", "X", "x"}, "without -run"},
		"path":           {[]string{"-kernels", "../6.1", "x"}, "is not a series"},
		"unknown fault":  {[]string{"-break", "fast", "x"}, `fault "fast" is not one of`},
		"unknown flag":   {[]string{"-kernel", "6.1"}, "flag provided but not defined"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var stderr bytes.Buffer
			if code := run(t.Context(), test.args, io.Discard, &stderr); code != exitUsage {
				t.Errorf("exit code %d", code)
			}
			if !strings.Contains(stderr.String(), test.want) {
				t.Errorf("says %q, want %q", stderr.String(), test.want)
			}
		})
	}
}
