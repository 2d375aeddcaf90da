package main

import "os"

// sendOnlyLogsThatTerraformKeeps sets the levels of the plugin's loggers to the level
// that Terraform has for its providers. Without it they log at TRACE, and Terraform
// parses each line before it drops it: that was a third of the CPU time of a plan.
// A level that the user has set for one of the loggers stays.
func sendOnlyLogsThatTerraformKeeps() error {
	level := os.Getenv("TF_LOG_PROVIDER")
	if level == "" {
		level = os.Getenv("TF_LOG")
	}
	if level == "" {
		level = "OFF"
	}
	loggers := []string{"TF_LOG_PROVIDER_LYTICS"}
	if os.Getenv("TF_LOG_SDK") == "" { // the other two follow it
		loggers = append(loggers, "TF_LOG_SDK", "TF_LOG_SDK_PROTO", "TF_LOG_SDK_FRAMEWORK")
	}
	for _, name := range loggers {
		if os.Getenv(name) != "" {
			continue
		}
		if err := os.Setenv(name, level); err != nil {
			return err
		}
	}
	return nil
}
