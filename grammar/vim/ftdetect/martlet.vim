autocmd BufRead,BufNewFile *.rules set filetype=martlet
