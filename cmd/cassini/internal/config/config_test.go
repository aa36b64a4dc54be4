package config

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func flags(t *testing.T, args ...string) *pflag.FlagSet {
	t.Helper()
	fs := pflag.NewFlagSet("test", pflag.ContinueOnError)
	fs.String("data-dir", "default", "")
	fs.Int("depth", 7, "")
	fs.String("filter", "default", "")
	Mark(fs, "data-dir", "depth")
	if err := fs.Parse(args); err != nil {
		t.Fatal(err)
	}
	return fs
}

func TestPrecedence(t *testing.T) {
	const file = "data-dir: from-file\n"
	env := map[string]string{"CASSINI_DATA_DIR": "from-env", "CASSINI_FILTER": "from-env"}
	for name, tc := range map[string]struct {
		args []string
		env  map[string]string
		file string
		want string
	}{
		"flag over all":         {[]string{"--data-dir=from-flag"}, env, file, "from-flag"},
		"flag equal to default": {[]string{"--data-dir=default"}, env, file, "default"},
		"environment over file": {nil, env, file, "from-env"},
		"empty environment":     {nil, map[string]string{"CASSINI_DATA_DIR": ""}, file, "from-file"},
		"file over default":     {nil, nil, file, "from-file"},
		"default":               {nil, nil, "", "default"},
	} {
		t.Run(name, func(t *testing.T) {
			parsed, err := parse("c.yaml", []byte(tc.file), []string{"data-dir", "depth"})
			if err != nil {
				t.Fatal(err)
			}
			fs := flags(t, tc.args...)
			if err := Apply(fs, func(k string) string { return tc.env[k] }, parsed); err != nil {
				t.Fatal(err)
			}
			if got, _ := fs.GetString("data-dir"); got != tc.want {
				t.Errorf("data-dir is %q, want %q", got, tc.want)
			}
			if got, _ := fs.GetString("filter"); got != "default" {
				t.Errorf("filter is no setting, but became %q", got)
			}
		})
	}
}

func TestBadValueNamesItsPlace(t *testing.T) {
	parsed, err := parse("c.yaml", []byte("\n\ndepth: many\n"), []string{"depth"})
	if err != nil {
		t.Fatal(err)
	}
	err = Apply(flags(t), func(string) string { return "" }, parsed)
	if err == nil || !strings.HasPrefix(err.Error(), `c.yaml:3: depth: invalid value "many"`) {
		t.Errorf("got %v", err)
	}
	err = Apply(flags(t), func(string) string { return "x" }, File{})
	if err == nil || !strings.HasPrefix(err.Error(), `CASSINI_DEPTH: invalid value "x"`) {
		t.Errorf("got %v", err)
	}
}

func TestParseErrors(t *testing.T) {
	for content, want := range map[string]string{
		"data-dir: a\nlisen: b\n":    `c.yaml:2: unknown key "lisen"; known are data-dir, depth`,
		"datadir: a\n":               `c.yaml:1: unknown key "datadir"; did you mean data-dir?`,
		"Data_Dirs: a\n":             `c.yaml:1: unknown key "Data_Dirs"; did you mean data-dir?`,
		"data-dir: a\ndata-dir: b\n": `c.yaml:2: key "data-dir" again, it is already in line 1`,
		"data-dir:\n":                `c.yaml:1: key "data-dir" wants one value`,
		"data-dir: [a, [b]]\n":       `c.yaml:1: key "data-dir" wants one value`,
		"data-dir: []\n":             `c.yaml:1: key "data-dir" wants one value`,
		"data-dir: {a: b}\n":         `c.yaml:1: key "data-dir" wants one value`,
		"- a\n":                      `c.yaml:1: want lines of 'key: value'`,
		"word":                       `c.yaml:1: want lines of 'key: value'`,
		"depth: 1\n---\ndepth: 2\n":  `c.yaml:2: a second document; only one is allowed`,
		"? [a]\n: b\n":               `c.yaml:1: unknown key ""; known are data-dir, depth`,
		"a: b: c\n":                  `c.yaml: not valid YAML: `,
		strings.Repeat("#", 1<<20+1): `c.yaml: has more than 1048576 bytes; is this a configuration file?`,
	} {
		_, err := parse("c.yaml", []byte(content), []string{"data-dir", "depth"})
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%.40q: got %v, want %s", content, err, want)
		}
	}
}

func TestNothingInTheFile(t *testing.T) {
	for _, content := range []string{"", "# only a comment\n", "---\n", "~\n"} {
		if file, err := parse("c.yaml", []byte(content), nil); err != nil || len(file.Settings) != 0 {
			t.Errorf("%q: got %v, %v", content, file, err)
		}
	}
}

func TestReadFile(t *testing.T) {
	absent := filepath.Join(t.TempDir(), "absent.yaml")
	if _, err := ReadFile(absent, true, nil); err != nil {
		t.Errorf("an optional file may be absent: %v", err)
	}
	if _, err := ReadFile(absent, false, nil); err == nil {
		t.Error("a file that was asked for must exist")
	}
	there := filepath.Join(t.TempDir(), "there.yaml")
	if err := os.WriteFile(there, []byte("depth: 3"), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := ReadFile(there, true, []string{"depth"})
	if err != nil || !reflect.DeepEqual(file.Settings["depth"], Setting{Value: "3", Line: 1}) {
		t.Errorf("got %v, %v", file, err)
	}
}

func TestLists(t *testing.T) {
	parsed, err := parse("c.yaml", []byte("names: [a, 'b,c']\n"), []string{"names", "depth"})
	if err != nil {
		t.Fatal(err)
	}
	fs := pflag.NewFlagSet("test", pflag.ContinueOnError)
	names := fs.StringSlice("names", nil, "")
	Mark(fs, "names")
	if err := Apply(fs, func(string) string { return "" }, parsed); err != nil || !slices.Equal(*names, []string{"a", "b,c"}) {
		t.Errorf("got %q, %v", *names, err)
	}
	parsed, err = parse("c.yaml", []byte("depth: [1]\n"), []string{"depth"})
	if err != nil {
		t.Fatal(err)
	}
	if err := Apply(flags(t), func(string) string { return "" }, parsed); err == nil || err.Error() != "c.yaml:1: depth: wants one value, not a list" {
		t.Errorf("got %v", err)
	}
}

func TestEffective(t *testing.T) {
	parsed, err := parse("c.yaml", []byte("\ndepth: 3\ntoken: hush\n"), []string{"data-dir", "depth", "token"})
	if err != nil {
		t.Fatal(err)
	}
	fs := flags(t, "--data-dir=x")
	fs.String("token", "", "")
	fs.String("tone", "low", "")
	Mark(fs, "token", "tone")
	Secret(fs, "token")
	if err := Apply(fs, func(k string) string { return map[string]string{"CASSINI_TONE": "high"}[k] }, parsed); err != nil {
		t.Fatal(err)
	}
	want := []Value{
		{"data-dir", "x", "flag", false}, {"depth", "3", "c.yaml:2", false},
		{"token", "(hidden)", "c.yaml:3", true}, {"tone", "high", "CASSINI_TONE", false},
	}
	if got := Effective(fs); !slices.Equal(got, want) {
		t.Errorf("got %+v", got)
	}
	if got := Changed(fs, flags(t, "--data-dir=y", "--depth=3")); !slices.Equal(got, []string{"data-dir"}) {
		t.Errorf("changed are %v", got)
	}
	if got := Effective(flags(t)); got[0].Source != "default" {
		t.Errorf("got %+v", got)
	}
}

func TestDistance(t *testing.T) {
	for _, tc := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"a", "", 1}, {"", "ab", 2}, {"listen", "lisen", 1}, {"kitten", "sitting", 3}, {"abc", "abc", 0}} {
		if got := distance(tc.a, tc.b); got != tc.want {
			t.Errorf("%q and %q: %d, want %d", tc.a, tc.b, got, tc.want)
		}
	}
}

func TestKeys(t *testing.T) {
	root, sub := &cobra.Command{Use: "root"}, &cobra.Command{Use: "sub"}
	root.PersistentFlags().String("api", "", "")
	sub.Flags().String("listen", "", "")
	sub.Flags().String("filter", "", "")
	Mark(root.PersistentFlags(), "api")
	Mark(sub.Flags(), "listen")
	root.AddCommand(sub)
	if got := Keys(root); !slices.Equal(got, []string{"api", "listen"}) {
		t.Errorf("got %v", got)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"", "data-dir: a", "depth: 1\n---\n", "&a data-dir: *a", "{data-dir: 'x', depth: 2}", "\x00", "? a\n: b", "data-dir: |\n  a\n  b\n"} {
		f.Add([]byte(seed))
	}
	keys := []string{"data-dir", "depth"}
	f.Fuzz(func(t *testing.T, data []byte) {
		file, err := parse("c.yaml", data, keys)
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Errorf("error on several lines: %q", err)
			}
			return
		}
		for key, setting := range file.Settings {
			if !slices.Contains(keys, key) || setting.Line < 1 {
				t.Errorf("accepted %q with %+v", key, setting)
			}
		}
	})
}
