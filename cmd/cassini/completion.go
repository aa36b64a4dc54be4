package main

import (
	"github.com/spf13/cobra"
)

func newCompletion(sys *system) *cobra.Command {
	shells := []string{"bash", "zsh", "fish"}
	return &cobra.Command{
		Use:   "completion bash|zsh|fish",
		Short: "Print the completion script of a shell",
		Long: "Print the completion script of a shell. To load it:\n\n" +
			"  bash:  source <(cassini completion bash)\n" +
			"  zsh:   cassini completion zsh > \"${fpath[1]}/_cassini\"\n" +
			"  fish:  cassini completion fish > ~/.config/fish/completions/cassini.fish",
		ValidArgs: shells,
		Args:      oneArg,
		RunE: func(cmd *cobra.Command, args []string) error {
			shell := ""
			if len(args) > 0 {
				shell = args[0]
			}
			switch shell {
			case "bash":
				return cmd.Root().GenBashCompletionV2(sys.stdout, true)
			case "zsh":
				return cmd.Root().GenZshCompletion(sys.stdout)
			case "fish":
				return cmd.Root().GenFishCompletion(sys.stdout, true)
			}
			return usagef("want a shell: one of bash, zsh and fish")
		},
	}
}
