// Starts `martlet lsp` and connects the editor with it.

const { workspace, window } = require('vscode');
const { LanguageClient } = require('vscode-languageclient/node');

let client;

exports.activate = async function activate() {
  const command = workspace.getConfiguration('martlet').get('path', 'martlet');
  client = new LanguageClient(
    'martlet',
    'Martlet',
    { command, args: ['lsp'] },
    { documentSelector: [{ language: 'martlet' }] },
  );
  try {
    await client.start();
  } catch (error) {
    window.showErrorMessage(`Martlet: cannot start \`${command} lsp\` (${error.message}). Set martlet.path.`);
  }
};

exports.deactivate = function deactivate() {
  return client?.stop();
};
