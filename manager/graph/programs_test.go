package graph

import (
	"math/rand/v2"
	"reflect"
	"testing"

	"cassini/model"
)

// TestProgramsAreShared holds and drops processes that differ in one field at most.
func TestProgramsAreShared(t *testing.T) {
	base := model.Process{PID: 7, Exe: "/bin/x", Cmdline: []string{"x", "-y"}, UID: "u", GID: "u", Cwd: "/", Cgroup: "/a.service", Home: &model.Home{Slice: "s"}}
	all := newPrograms()
	held := map[*program]int{all.hold(&base): 1}
	variants := []model.Process{base}
	for i := range reflect.TypeFor[model.Process]().NumField() {
		p := base
		switch f := reflect.ValueOf(&p).Elem().Field(i); f.Kind() {
		case reflect.String:
			f.SetString("other")
		case reflect.Int:
			f.SetInt(99)
		case reflect.Uint32, reflect.Uint64:
			f.SetUint(99)
		case reflect.Bool:
			f.SetBool(true)
		case reflect.Slice:
			f.Set(reflect.ValueOf([]string{"x"}))
		case reflect.Pointer:
			f.Set(reflect.ValueOf(&model.Home{Slice: "t"}))
		default:
			t.Fatalf("no variant of %v", f.Type())
		}
		variants = append(variants, p)
	}
	r := rand.New(rand.NewPCG(1, 1))
	for range 2000 {
		v := variants[r.IntN(len(variants))]
		p := all.hold(&v)
		held[p]++
		if got := p.as(v.PID); !reflect.DeepEqual(got, v) {
			t.Fatalf("%+v became %+v", v, got)
		}
		if got, want := p.id("h"), model.ProcessID("h", v); got != want {
			t.Fatalf("%s, want %s", got, want)
		}
	}
	if len(held) != len(variants)-1 { // all but the one that differs in its number
		t.Errorf("%d programs of %d variants", len(held), len(variants))
	}
	for p, n := range held {
		for range n {
			all.drop(p)
		}
	}
	if len(all.by) != 0 {
		t.Errorf("%d left behind", len(all.by))
	}
}

// TestProgramsOfOneHashAreApart drops them in each order.
func TestProgramsOfOneHashAreApart(t *testing.T) {
	for first := range 3 {
		all := newPrograms()
		var held []*program
		for _, cwd := range []string{"/a", "/b", "/c"} { // not in the hash
			held = append(held, all.hold(&model.Process{Exe: "/x", Cwd: cwd}))
		}
		all.drop(held[first])
		for i, p := range held {
			if again := all.hold(&p.Process); i != first && again != p {
				t.Errorf("%s is no longer found", p.Cwd)
			}
		}
	}
}
