package quick

import (
	"bytes"
	"encoding/json"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"cassini/model"
)

// plain is what encoding/json writes.
func plain(t testing.TB, v any) string {
	t.Helper()
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		t.Fatal(err)
	}
	return string(bytes.TrimSuffix(b.Bytes(), []byte("\n")))
}

func check(t testing.TB, v *model.DependencyView) {
	t.Helper()
	got, err := AppendDependency(nil, v)
	if err != nil {
		t.Fatal(err)
	}
	if want := plain(t, v); string(got) != want {
		t.Fatalf("got  %s\nwant %s", got, want)
	}
}

// TestAppendIsWhatJSONWrites sets each field by itself, and all together: a new field of
// model.DependencyView cannot be forgotten.
func TestAppendIsWhatJSONWrites(t *testing.T) {
	var all model.DependencyView
	check(t, &all)
	n := uint64(0)
	fill(t, reflect.ValueOf(&all).Elem(), &n)
	all.Client.Addr, all.Server.Addr = netip.MustParseAddr("fe80::1%eth0"), netip.MustParseAddr("10.0.0.2")
	all.Dialled = []netip.AddrPort{netip.MustParseAddrPort("[::1]:80"), {}}
	all.FirstSeen, all.LastSeen = start, start.In(time.FixedZone("", 3600))
	check(t, &all)
	fields := 0
	for _, at := range paths(reflect.TypeFor[model.DependencyView](), nil) {
		one := reflect.New(reflect.TypeFor[model.DependencyView]()).Elem()
		one.FieldByIndex(at).Set(reflect.ValueOf(all).FieldByIndex(at))
		check(t, one.Addr().Interface().(*model.DependencyView))
		fields++
	}
	if fields < 40 {
		t.Errorf("only %d fields", fields)
	}
}

// paths are where the fields of a type are that are no structures of ours by value.
func paths(of reflect.Type, at []int) (all [][]int) {
	for i := range of.NumField() {
		f, here := of.Field(i), append(append([]int{}, at...), i)
		switch f.Type {
		case reflect.TypeFor[netip.Addr](), reflect.TypeFor[time.Time]():
			all = append(all, here)
		default:
			if f.Type.Kind() == reflect.Struct {
				all = append(all, paths(f.Type, here)...)
			} else {
				all = append(all, here)
			}
		}
	}
	return all
}

func TestAppendFailsAsJSONDoes(t *testing.T) {
	v := model.DependencyView{LastSeen: time.Date(10_000, 1, 1, 0, 0, 0, 0, time.UTC)}
	if _, err := AppendDependency(nil, &v); err == nil {
		t.Error("a year of five digits is written")
	}
}

// FuzzAppend writes texts of any kind.
func FuzzAppend(f *testing.F) {
	f.Add("web", "/usr/bin/nginx: worker", uint64(1), "tcp")
	f.Add("<&>\"\\\n\u2028\xff", "é\x7f", uint64(1<<63), "")
	f.Fuzz(func(t *testing.T, id, exe string, n uint64, proto string) {
		v := model.DependencyView{ID: id, Proto: proto, Port: uint16(n), SeenBy: []string{proto, id}}
		v.Client.Exe, v.Server.Host, v.Client.PID, v.Connections, v.AskedAs = exe, exe, int(n), n, []string{exe}
		v.UnixName.Path = id
		check(t, &v)
	})
}

func BenchmarkAppendDependency(b *testing.B) {
	v := model.DependencyView{ID: "process:web-1/usr/bin/nginx -depends_on-> service:db-1/postgres:5432/tcp", Proto: "tcp", Port: 5432, SeenBy: []string{"client", "server"}, FirstSeen: start, LastSeen: start}
	v.Client = model.Party{ID: "process:web-1/usr/bin/nginx", Host: "web-1", Exe: "/usr/bin/nginx", PID: 17, Addr: netip.MustParseAddr("10.0.0.1")}
	v.Server = model.Party{ID: "service:db-1/postgres:5432/tcp", Host: "db-1", Exe: "/usr/bin/postgres", PID: 18, Addr: netip.MustParseAddr("10.0.0.2")}
	v.Connections, v.BytesSent, v.BytesReceived = 123, 123456789, 456789
	b.Run("here", func(b *testing.B) {
		b.ReportAllocs()
		var text []byte
		for b.Loop() {
			text, _ = AppendDependency(text[:0], &v)
		}
	})
	b.Run("encoding/json", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			plain(b, &v)
		}
	})
}
