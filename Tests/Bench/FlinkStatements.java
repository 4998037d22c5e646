import java.nio.file.Files;
import java.nio.file.Path;
import org.apache.flink.table.api.EnvironmentSettings;
import org.apache.flink.table.api.TableEnvironment;

/** Runs the SQL statements of a file, with blank lines between them, in this process. */
class FlinkStatements {
    public static void main(String[] arguments) throws Exception {
        var environment = TableEnvironment.create(EnvironmentSettings.inStreamingMode());
        environment.getConfig().set("parallelism.default", "1");
        environment.getConfig().set("table.local-time-zone", "UTC");
        // Rows need not be copied between operators: the faster way.
        environment.getConfig().set("pipeline.object-reuse", "true");
        for (var statement : Files.readString(Path.of(arguments[0])).strip().split("\n\n+")) {
            environment.executeSql(statement).await();
        }
    }
}
